import {
  boundsRow,
  entryRow,
  hardStateRow,
  readBounds,
  readEntry,
  readHardState,
  readSnapshotRow,
  snapshotRow,
} from '../../../controller/raft/store-rows.ts';
import { crc32c } from '../../../proto/wire/crc32c.ts';
import { seededRandom } from '../random.ts';
import type { FuzzTarget } from '../target.ts';
import { checkDecoder } from './decoder-promises.ts';
import { sampleMessage } from './sample-messages.ts';

const names = ['QuorumVoteRow', 'QuorumBoundsRow', 'QuorumEntryRow', 'QuorumSnapshotRow'];

/** Rows of the quorum's store. An input is a byte that chooses the table, a checksum and the row. */
export const raftRowsTarget: FuzzTarget = {
  name: 'raft-rows',
  async seeds() {
    const random = seededRandom(1);
    return names.flatMap((name, table) =>
      Array.from({ length: 15 }, () => {
        const row = sampleMessage(`highwater.peer.v1.${name}`, random);
        return repair(Buffer.concat([Buffer.of(table, 0, 0, 0, 0), row]));
      }),
    );
  },
  repair,
  check(input) {
    tables[(input[0] ?? 0) % tables.length]?.(input.subarray(1));
  },
};

/** In the order of the names. */
const tables: readonly ((row: Buffer) => void)[] = [
  (row) => checkDecoder({ decode: readHardState, encode: hardStateRow }, row),
  (row) => checkDecoder({ decode: readBounds, encode: boundsRow }, row),
  (row) =>
    checkDecoder(
      {
        decode: readEntry,
        encode: ({ entry, durableBefore }) => entryRow(entry, durableBefore),
      },
      row,
    ),
  (row) =>
    checkDecoder(
      { decode: readSnapshotRow, encode: ({ head, chunks }) => snapshotRow(head, chunks) },
      row,
    ),
];

function repair(input: Buffer): Buffer {
  if (input.length < 5) return input;
  const repaired = Buffer.from(input);
  repaired.writeUInt32BE(crc32c(repaired.subarray(5)), 1);
  return repaired;
}
