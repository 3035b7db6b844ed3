/** What a start makes of journal files that are not as they were written. */
import { expect, test } from 'vitest';
import { everyRule } from '../../../broker/log/core/rules.ts';
import { HandlePool } from '../../../broker/log/handle-pool.ts';
import { encodeBlock } from '../../../broker/log/journal-format.ts';
import { redoJournal } from '../../../broker/log/journal-redo.ts';
import type { PartitionLog } from '../../../broker/log/partition-log.ts';
import { offset } from '../../../proto/model/offset.ts';
import { flipBit } from '../../../proto/ports/memory/disk-damage.ts';
import { allOf, hang, onOperation, onPath } from '../../../proto/ports/memory/disk-faults.ts';
import { SeededRandom } from '../../../proto/ports/memory/seeded-random.ts';
import { batch } from './batches.ts';
import { keyOf, LogWorld } from './log-world.ts';

const journalPath = '/data/journal';

/** A block of one entry, as the journal writes it. */
function block(sequence: number): Buffer {
  const bytes = batch({ baseOffset: sequence, payload: 500 });
  const entry = { key: keyOf(0), segmentBase: offset(0), position: 0, bytes: bytes.length };
  return Buffer.concat(encodeBlock([{ ...entry, buffers: [bytes] }], sequence, Buffer.alloc(8192)));
}

/** Redoes a journal of these files; tells also the largest read that was asked for. */
async function redo(...contents: readonly Buffer[]) {
  const world = new LogWorld();
  const fs = world.disk.mount(world.time.clockFor('node'));
  await world.run(fs.makeDirectory(journalPath));
  for (const [at, content] of contents.entries()) {
    const file = await world.run(fs.open(`${journalPath}/000${at}.journal`, 'create'));
    await world.run(file.write([content], 0));
  }
  let largestRead = 0;
  world.disk.faults.add(
    ({ kind, bytes }) => {
      if (kind === 'read' && bytes > largestRead) largestRead = bytes;
      return false;
    },
    { kind: 'skip' },
  );
  const handles = new HandlePool(fs, 4);
  const place = { fs, handles, journalPath, logsPath: '/data/logs', rules: everyRule, floor: 1 };
  const result = await world.run(redoJournal({ ...place, recordOf: () => undefined }));
  return { result, largestRead };
}

test('blocks are found in their order, and the sequence of a torn one behind them is not used again', async () => {
  const { result } = await redo(Buffer.concat([block(1), block(2)]));
  expect(result).toMatchObject({ nextSequence: 4, isDamaged: false });
});

test('a head that states more bytes than the file has makes nobody take that much memory', async () => {
  const first = block(1);
  const forged = block(2);
  forged.writeUInt32BE(0xf000_0000, 16);
  const late = block(4);
  late.writeUInt32BE(0xf000_0000, 16);
  const { result, largestRead } = await redo(Buffer.concat([first, forged, late]));
  expect(result).toMatchObject({ nextSequence: 3, isDamaged: false });
  expect(largestRead).toBeLessThanOrEqual(1024 * 1024);
});

/** A block whose bytes went bad. */
function bad(sequence: number): Buffer {
  return Buffer.from(block(sequence)).fill(0xee, 60, 200);
}

test('a bad block at the beginning of a file is damage if a good one stands behind it', async () => {
  expect((await redo(bad(1))).result.isDamaged).toBe(false);
  expect((await redo(Buffer.concat([bad(1), block(2)]))).result.isDamaged).toBe(true);
  const first = Buffer.concat([block(1), block(2)]);
  expect((await redo(first, bad(3))).result.isDamaged).toBe(false);
  expect((await redo(first, Buffer.concat([bad(3), block(4)]))).result.isDamaged).toBe(true);
});

test('after damage no sequence is given again that a block in the ring or a fence may have', async () => {
  const { result } = await redo(Buffer.concat([block(1), bad(2), block(90)]));
  expect(result.isDamaged).toBe(true);
  expect(result.nextSequence).toBeGreaterThan(91);
});

test('a log that was made while a block was being written and got torn keeps what is journalled later', async () => {
  const world = new LogWorld();
  world.limits = { reserveBytes: 0, checkpointMs: 1_000_000 };
  await world.start();
  const ends = new Map<number, number>();
  const appendTo = async (count: number): Promise<void> => {
    for (let partition = 0; partition < count; partition++) {
      const log = world.log(partition);
      log.append([batch({ baseOffset: log.logEndOffset, payload: 200 })]);
    }
    await world.settle(100);
    for (let partition = 0; partition < count; partition++) {
      ends.set(partition, world.log(partition).storedEnd);
    }
  };
  for (let partition = 0; partition < 6; partition++) await world.create(partition);
  await appendTo(6);
  expect(world.usesJournal).toBe(true);
  const journal = allOf(onOperation('sync'), onPath(/\.journal$/));
  const rule = world.disk.faults.add(journal, hang);
  await appendTo(6);
  await world.create(6);
  world.powerLoss(new SeededRandom(1), 'drop');
  rule.remove();

  await world.start();
  await appendTo(7);
  expect(ends.get(6)).toBe(1);
  world.powerLoss(new SeededRandom(2), 'drop');
  await world.start();
  for (const [partition, end] of ends) expect(world.log(partition).logEndOffset).toBe(end);
});

test('bytes of a segment that went bad while the node was down come back from the journal', async () => {
  const world = new LogWorld();
  world.limits = { reserveBytes: 0, checkpointMs: 1_000_000 };
  await world.start();
  const logs: PartitionLog[] = [];
  for (let partition = 0; partition < 6; partition++) logs.push(await world.create(partition));
  for (let round = 0; round < 4; round++) {
    for (const log of logs) log.append([batch({ baseOffset: round, payload: 60_000 })]);
    await world.settle();
  }
  const path = `/data/logs/${keyOf(0).topicId}-0/${'0'.repeat(20)}.log`;
  const former = Buffer.from(world.disk.file(path).content());
  world.kill();
  flipBit(world.disk, path, 8 * 900);
  await world.start();
  expect(world.log().logEndOffset).toBe(4);
  // It ends with what had not been written behind the journal before.
  const content = Buffer.from(world.disk.file(path).content());
  expect(content.subarray(0, former.length).equals(former)).toBe(true);
});
