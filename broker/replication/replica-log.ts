/**
 * What a replica needs of the log behind it. `broker/log` implements it; the simulator runs the same
 * implementation over a simulated disk.
 *
 * Offsets are those of the accepted log: what `append` has taken is readable at once and is written
 * and flushed behind. Progress comes back through `onStored`, at most once a turn.
 */
import type { LeaderEpoch, Offset } from '../../proto/model/offset.ts';
import type { BatchHeader } from '../../proto/wire/batch-header.ts';
import type { EpochEntry } from './core/divergence.ts';
import type { ProducerVerdict } from './core/inputs.ts';

export interface ReplicaLog {
  readonly startOffset: Offset;
  /** The end of what was accepted. */
  readonly endOffset: Offset;
  /** Bytes from an offset to the end, roughly: what a lagging replica has to fetch. */
  bytesFrom(offset: Offset): number;
  /** Whether the disk has room above its reserve for this many bytes. */
  hasRoom(bytes: number): boolean;
  /** Bytes accepted and not yet written: above the bound nothing more should be sent here. */
  readonly isBacklogged: boolean;
  /** Resolves when the backlog is below its bound again, or the log has failed. */
  drained(): Promise<void>;
  /** What idempotence says of a batch, after every earlier append. */
  judgeProducer(header: BatchHeader): ProducerVerdict;
  /** Takes whole, stamped batches that begin at the end offset. */
  append(batches: readonly Buffer[], endOffset: Offset): void;
  /** Makes an epoch durable that begins at the end offset, before anything is appended under it. */
  beginEpoch(epoch: LeaderEpoch): void;
  /** Batches from the one that holds `from`, while they are in memory; undefined: ask `read`. */
  readCached(from: Offset, limits: ReadLimits): readonly Buffer[] | undefined;
  /** The same from wherever they are, checked. Rejects with DAMAGED_LOG or OFFSET_OUT_OF_RANGE. */
  read(from: Offset, limits: ReadLimits): Promise<readonly Buffer[]>;
  /** Durable when it resolves. */
  truncate(to: Offset, isKeptAside: boolean): Promise<void>;
  reset(to: Offset): Promise<void>;
  persistVerifiedEpoch(epoch: LeaderEpoch): Promise<void>;
  /** Remembered lazily: a crash may lose it. */
  checkpointWatermark(offset: Offset): void;
  /** The first record with this timestamp or later, below the watermark. */
  offsetForTimestamp(
    timestamp: number,
    below: Offset,
  ): Promise<{ offset: Offset; timestamp: number } | undefined>;
  readonly history: readonly EpochEntry[];
}

export interface ReadLimits {
  /** At least one batch is returned even if it is larger. */
  readonly bytesMax: number;
  /** No batch that begins at or above this is returned. */
  readonly below: Offset;
}
