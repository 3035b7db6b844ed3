/** Many logs that are busy at once share the journal and one bound of memory: none is forgotten. */
import { describe, expect, test } from 'vitest';
import { SeededRandom } from '../../../proto/ports/memory/seeded-random.ts';
import { batch } from './batches.ts';
import { LogWorld } from './log-world.ts';

/** In some of these memory becomes scarce between a log's wish for the journal and its round. */
const seeds = [5, 9, 10];
const logCount = 24;
const budgetBytes = 64 * 1024;

/** Appends to logs at random, a few each turn, mostly at a pace that keeps much of the memory in use. */
async function busy(seed: number): Promise<LogWorld> {
  const random = new SeededRandom(seed);
  const world = new LogWorld();
  world.disk.latency = () => random.below(3);
  world.limits = { unstoredBytesMax: budgetBytes };
  await world.start();
  for (let partition = 0; partition < logCount; partition++) await world.create(partition);
  for (let turn = 0; turn < 400; turn++) {
    for (let count = random.below(8); count > 0; count--) {
      const log = world.log(random.below(logCount));
      log.append([batch({ baseOffset: log.logEndOffset, payload: 100 + random.below(4000) })]);
    }
    await world.settle(random.below(3));
  }
  await world.settle(1000);
  return world;
}

describe('many busy logs', () => {
  test.each(seeds)('store what each accepted, seed %i', async (seed) => {
    const world = await busy(seed);
    const behind = Array.from({ length: logCount }, (_, partition) => world.log(partition))
      .filter((log) => log.storedEnd < log.logEndOffset)
      .map((log) => ({ storedEnd: log.storedEnd, logEndOffset: log.logEndOffset }));
    expect(behind).toEqual([]);
    expect(world.usesJournal).toBe(true);
    expect(world.fatal).toBeUndefined();
  });

  test('have their bytes in the journal once, also when these are written behind it', async () => {
    const world = new LogWorld();
    world.limits = { reserveBytes: 0 };
    await world.start();
    for (let partition = 0; partition < logCount; partition++) await world.create(partition);
    const bytes = { journal: 0, segments: 0 };
    world.disk.faults.add(
      (operation) => {
        if (operation.kind !== 'write') return false;
        const isJournal = operation.path.endsWith('.journal');
        bytes[isJournal ? 'journal' : 'segments'] += operation.bytes;
        return false;
      },
      { kind: 'skip' },
    );
    let accepted = 0;
    for (let round = 0; round < 40; round++) {
      for (let partition = 0; partition < logCount; partition++) {
        const one = batch({ baseOffset: round, payload: 8000 });
        world.log(partition).append([one]);
        accepted += one.length;
      }
      await world.settle(5);
    }
    expect(world.log(0).storedEnd).toBe(40);
    expect(bytes.segments).toBeGreaterThan(accepted / 2);
    expect(bytes.segments).toBeLessThanOrEqual(accepted);
    // Heads and padding of the blocks come on top.
    expect(bytes.journal).toBeLessThan(1.15 * accepted);
  });
});
