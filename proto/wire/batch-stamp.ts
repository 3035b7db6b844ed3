/**
 * What a leader writes into a batch that it takes: its place and its epoch. Both lie outside the
 * checksum, so the producer's bytes and checksum stay as they came.
 */
import type { LeaderEpoch, Offset } from '../model/offset.ts';
import { layout } from './batch-layout.ts';
import { writeInt64 } from './int64.ts';

/** Where a batch goes. */
export interface BatchStamp {
  readonly baseOffset: Offset;
  readonly leaderEpoch: LeaderEpoch;
}

/** Writes base offset and leader epoch into the batch at a position. */
export function stampBatch(bytes: Buffer, at: number, stamp: BatchStamp): void {
  writeInt64(bytes, stamp.baseOffset, at + layout.baseOffset);
  bytes.writeInt32BE(stamp.leaderEpoch, at + layout.leaderEpoch);
}
