/**
 * The rows of the quorum's store. Every value is
 *
 *   | CRC-32C of the rest, 4 bytes big-endian | the row as protobuf |
 *
 * so that a row that was damaged, or that lies under another key, is recognised (rule B4.15).
 */
import {
  QuorumBoundsRow,
  QuorumEntryRow,
  QuorumSnapshotRow,
  QuorumVoteRow,
} from '../../proto/generated/highwater/peer/v1/raft.ts';
import { type LogIndex, logIndex, term as makeTerm } from '../../proto/model/offset.ts';
import { crc32c } from '../../proto/wire/crc32c.ts';
import type { LogEntry } from './core/entry.ts';
import type { SnapshotHead } from './core/messages.ts';
import type { HardState } from './core/state.ts';
import {
  bodyFromWire,
  entryToWire,
  headFromWire,
  headToWire,
  identityToWire,
  voterFromWire,
} from './wire-parts.ts';

/** Tables that the store must have been opened with. */
export const quorumTables = ['quorum', 'quorum-log', 'quorum-snapshot', 'quorum-damaged'] as const;

export const hardStateKey = Buffer.from('vote');
export const boundsKey = Buffer.from('bounds');
export const snapshotKey = Buffer.from('snapshot');

/** What the log must consist of; written with every change of it. */
export interface LogBounds {
  readonly base: { readonly index: LogIndex; readonly term: HardState['term'] };
  readonly lastIndex: LogIndex;
}

/** Keys of the log sort as their indexes do. */
export function entryKey(index: number): Buffer {
  const key = Buffer.alloc(8);
  key.writeBigUInt64BE(BigInt(index));
  return key;
}

export function chunkKey(index: LogIndex, chunk: number): Buffer {
  const key = Buffer.alloc(12);
  key.writeBigUInt64BE(BigInt(index));
  key.writeUInt32BE(chunk, 8);
  return key;
}

export function hardStateRow({ term, vote, damage }: HardState): Buffer {
  return sealed(
    QuorumVoteRow.encode({
      term,
      vote: vote === undefined ? undefined : identityToWire(vote),
      damage:
        damage === undefined
          ? undefined
          : {
              term: damage.term,
              lostTo: Number.isFinite(damage.lostTo) ? logIndex(damage.lostTo) : undefined,
            },
    }),
  );
}

export function readHardState(value: Uint8Array): HardState | undefined {
  return unsealed(value, (bytes) => {
    const { term, vote, damage } = QuorumVoteRow.decode(bytes);
    return {
      term,
      vote: vote === undefined ? undefined : voterFromWire(vote).id,
      damage:
        damage === undefined
          ? undefined
          : { term: damage.term, lostTo: damage.lostTo ?? Number.POSITIVE_INFINITY },
    };
  });
}

export function boundsRow({ base, lastIndex }: LogBounds): Buffer {
  return sealed(QuorumBoundsRow.encode({ baseIndex: base.index, baseTerm: base.term, lastIndex }));
}

export function readBounds(value: Uint8Array): LogBounds | undefined {
  return unsealed(value, (bytes) => {
    const { baseIndex, baseTerm, lastIndex } = QuorumBoundsRow.decode(bytes);
    return { base: { index: baseIndex, term: baseTerm }, lastIndex };
  });
}

export function entryRow(entry: LogEntry, durableBefore: LogIndex): Buffer {
  const data = entry.body.kind === 'command' ? Buffer.from(entry.body.data) : Buffer.alloc(0);
  const { index } = entry;
  return sealed(QuorumEntryRow.encode({ index, entry: entryToWire(entry), durableBefore, data }));
}

/** An entry and how far the log was durable before the write that brought it. */
export interface StoredEntry {
  readonly entry: LogEntry;
  readonly durableBefore: LogIndex;
}

export function readEntry(value: Uint8Array): StoredEntry | undefined {
  return unsealed(value, (bytes) => {
    const { index, entry, durableBefore, data } = QuorumEntryRow.decode(bytes);
    const { term, kind, voters, dataBytes } = entry ?? {
      term: makeTerm(0),
      kind: 'unspecified' as const,
      voters: [],
      dataBytes: 0,
    };
    const body = bodyFromWire({ term, kind, voters, dataBytes }, data);
    return { entry: { index, term, body }, durableBefore };
  });
}

export function snapshotRow(head: SnapshotHead, chunks: number): Buffer {
  return sealed(QuorumSnapshotRow.encode({ head: headToWire(head), chunks }));
}

export function readSnapshotRow(
  value: Uint8Array,
): { readonly head: SnapshotHead; readonly chunks: number } | undefined {
  return unsealed(value, (bytes) => {
    const { head, chunks } = QuorumSnapshotRow.decode(bytes);
    return { head: headFromWire(head), chunks };
  });
}

function sealed(parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const row = Buffer.allocUnsafe(4 + body.length);
  row.writeUInt32BE(crc32c(body));
  row.set(body, 4);
  return row;
}

/** The row, or undefined if its bytes are not what was written. */
function unsealed<Row>(value: Uint8Array, read: (bytes: Uint8Array) => Row): Row | undefined {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
  if (bytes.length < 4 || bytes.readUInt32BE() !== crc32c(bytes.subarray(4))) return undefined;
  return read(bytes.subarray(4));
}
