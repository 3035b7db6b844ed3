/** What a start makes of journal files that are not as they were written. */
import { expect, test } from 'vitest';
import { HandlePool } from '../../../broker/log/handle-pool.ts';
import { encodeBlock } from '../../../broker/log/journal-format.ts';
import { redoJournal } from '../../../broker/log/journal-redo.ts';
import { offset } from '../../../proto/model/offset.ts';
import { batch } from './batches.ts';
import { keyOf, LogWorld } from './log-world.ts';

const journalPath = '/data/journal';

/** A block of one entry, as the journal writes it. */
function block(sequence: number): Buffer {
  const bytes = batch({ baseOffset: sequence, payload: 500 });
  const entry = { key: keyOf(0), segmentBase: offset(0), position: 0, bytes: bytes.length };
  return Buffer.concat(encodeBlock([{ ...entry, buffers: [bytes] }], sequence, Buffer.alloc(8192)));
}

/** Redoes one journal file; tells also the largest read that was asked for. */
async function redo(content: Buffer) {
  const world = new LogWorld();
  const fs = world.disk.mount(world.time.clockFor('node'));
  await world.run(fs.makeDirectory(journalPath));
  const file = await world.run(fs.open(`${journalPath}/0000.journal`, 'create'));
  await world.run(file.write([content], 0));
  let largestRead = 0;
  world.disk.faults.add(
    ({ kind, bytes }) => {
      if (kind === 'read' && bytes > largestRead) largestRead = bytes;
      return false;
    },
    { kind: 'skip' },
  );
  const handles = new HandlePool(fs, 4);
  const place = { fs, handles, journalPath, logsPath: '/data/logs', floor: 1 };
  const result = await world.run(redoJournal({ ...place, recordOf: () => undefined }));
  return { result, largestRead };
}

test('blocks are found in their order, and the next sequence follows the last', async () => {
  const { result } = await redo(Buffer.concat([block(1), block(2)]));
  expect(result).toMatchObject({ nextSequence: 3, isDamaged: false });
});

test('a head that states more bytes than the file has makes nobody take that much memory', async () => {
  const first = block(1);
  const forged = block(2);
  forged.writeUInt32BE(0xf000_0000, 16);
  const late = block(4);
  late.writeUInt32BE(0xf000_0000, 16);
  const { result, largestRead } = await redo(Buffer.concat([first, forged, late]));
  expect(result).toMatchObject({ nextSequence: 2, isDamaged: false });
  expect(largestRead).toBeLessThanOrEqual(1024 * 1024);
});
