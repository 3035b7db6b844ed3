/** The faults that the simulated network can make, as the users of the link see them. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nodeId } from '../../../../proto/model/ids.ts';
import { acceptAll, recorder } from '../link-world.ts';
import { createMemoryWorld, type MemoryWorld } from '../memory-world.ts';

const [one, two] = [nodeId(1), nodeId(2)];

async function connected(world: MemoryWorld) {
  const [a, b] = [await world.node(1), await world.node(2)];
  const accepted = acceptAll(b, 'raft');
  const seen = recorder();
  const stream = a.endpoint.open(b.address, 'raft', seen);
  await world.until(() => accepted.length === 1 && seen.opened.length === 1);
  const far = accepted[0];
  if (far === undefined) throw new Error('nothing was accepted');
  return { a, b, seen, stream, far };
}

describe('faults of the simulated network', () => {
  let world: MemoryWorld;
  beforeEach(() => {
    world = createMemoryWorld('faults');
  });
  afterEach(async () => {
    await world.close();
  });

  test('a delay in one direction delays that direction only, and keeps the order', async () => {
    const { stream, far, seen } = await connected(world);
    world.network.setDelay(one, two, { latencyMs: 40, jitterMs: 20 });
    const start = world.time.now();
    for (let count = 0; count < 20; count++) {
      stream.send(Buffer.from(`${count}`));
      await world.time.advance(1);
    }
    far.stream.send(Buffer.from('back'));
    await world.until(() => seen.frames.length === 1);
    expect(world.time.now() - start).toBeLessThan(30);
    await world.until(() => far.seen.frames.length === 20);
    expect(world.time.now() - start).toBeGreaterThanOrEqual(40);
    expect(far.seen.frames.map((frame) => Number(frame.header))).toEqual(
      Array.from({ length: 20 }, (_, index) => index),
    );
  });

  test('a cut in one direction kills the link by silence, on the deaf side first', async () => {
    const { stream, far, seen } = await connected(world);
    const cutAt = world.time.now();
    world.network.cut(one, two);
    stream.send(Buffer.from('held'));
    await world.until(() => far.seen.closed.length === 1);
    expect(far.seen.closed).toEqual(['silent']);
    expect(world.time.now() - cutAt).toBeGreaterThanOrEqual(1_500);
    expect(world.time.now() - cutAt).toBeLessThanOrEqual(3_000);
    await world.until(() => seen.closed.length === 1);
    expect(seen.closed).toEqual(['closed']);
    expect(far.seen.frames).toEqual([]);
  });

  test('a short cut loses nothing', async () => {
    const { stream, far } = await connected(world);
    world.network.cutBoth(one, two);
    stream.send(Buffer.from('held'));
    await world.time.advance(1_000);
    expect(far.seen.frames).toEqual([]);
    world.network.healAll();
    await world.until(() => far.seen.frames.length === 1);
    expect(far.seen.closed).toEqual([]);
  });

  test('a dial into a cut is unreachable, and works after the cut has healed', async () => {
    const [a, b] = [await world.node(1), await world.node(2)];
    const accepted = acceptAll(b, 'raft');
    world.network.cut(two, one);
    const [seen, again] = [recorder(), recorder()];
    a.endpoint.open(b.address, 'raft', seen);
    await world.until(() => seen.closed.length === 1);
    expect(seen.closed).toEqual(['unreachable']);
    world.network.heal(two, one);
    a.endpoint.open(b.address, 'raft', again);
    await world.until(() => again.opened.length === 1 && accepted.length > 0);
  });

  test('a killed process is seen closed at once, then refused', async () => {
    const { a, b, seen } = await connected(world);
    const killedAt = world.time.now();
    world.network.kill(two);
    world.clocks.get(2)?.stop();
    const again = recorder();
    await world.until(() => seen.closed.length === 1);
    a.endpoint.open(b.address, 'raft', again);
    await world.until(() => again.closed.length === 1);
    expect([seen.closed, again.closed]).toEqual([['closed'], ['refused']]);
    expect(world.time.now() - killedAt).toBeLessThan(50);
  });

  test('a killed process listens again under the same address', async () => {
    const { a, seen } = await connected(world);
    world.network.kill(two);
    world.clocks.get(2)?.stop();
    await world.until(() => seen.closed.length === 1);
    const restarted = await world.node(2);
    acceptAll(restarted, 'raft');
    const again = recorder();
    a.endpoint.open(restarted.address, 'raft', again);
    await world.until(() => again.opened.length === 1);
  });

  test('a vanished machine is silent, then unreachable, and there again when brought back', async () => {
    const { a, b, seen } = await connected(world);
    world.network.vanish(two);
    world.clocks.get(2)?.stop();
    await world.until(() => seen.closed.length === 1);
    const again = recorder();
    a.endpoint.open(b.address, 'raft', again);
    await world.until(() => again.closed.length === 1);
    expect([seen.closed, again.closed]).toEqual([['silent'], ['unreachable']]);
    world.network.bringBack(two);
    const restarted = await world.node(2);
    acceptAll(restarted, 'raft');
    const third = recorder();
    a.endpoint.open(restarted.address, 'raft', third);
    await world.until(() => third.opened.length === 1);
  });

  test('a vanished machine that is brought back at once closes what its peers still believe in', async () => {
    const { seen } = await connected(world);
    world.network.vanish(two);
    world.clocks.get(2)?.stop();
    world.network.bringBack(two);
    await world.until(() => seen.closed.length === 1);
    expect(seen.closed).toEqual(['closed']);
  });

  test('a stopped process is silent; when it goes on it finds its links closed', async () => {
    const { seen, far } = await connected(world);
    world.network.stop(two);
    world.clocks.get(2)?.pause();
    await world.until(() => seen.closed.length === 1);
    expect([seen.closed, far.seen.closed]).toEqual([['silent'], []]);
    world.clocks.get(2)?.resume();
    world.network.resume(two);
    await world.until(() => far.seen.closed.length === 1);
    expect(far.seen.closed).toEqual(['closed']);
  });

  test('a process that stood still for a while does not blame its peers for the silence', async () => {
    const { stream, seen, far } = await connected(world);
    world.network.stop(two);
    world.clocks.get(2)?.pause();
    await world.time.advance(1_400);
    stream.send(Buffer.from('meanwhile'));
    world.clocks.get(2)?.resume();
    world.network.resume(two);
    await world.until(() => far.seen.frames.length === 1);
    await world.time.advance(5_000);
    expect([seen.closed, far.seen.closed]).toEqual([[], []]);
  });

  test('a lost link loses what is under way and tells both sides', async () => {
    const { stream, seen, far } = await connected(world);
    stream.send(Buffer.from('lost'));
    await world.time.settle();
    world.network.lose(one, two);
    await world.until(() => seen.closed.length === 1 && far.seen.closed.length === 1);
    expect([seen.closed, far.seen.closed]).toEqual([['closed'], ['closed']]);
    expect(far.seen.frames).toEqual([]);
  });

  test('a dial to a stopped process connects and gets no hello', async () => {
    const [a, b] = [await world.node(1, { timings: { helloMs: 300 } }), await world.node(2)];
    world.network.stop(two);
    world.clocks.get(2)?.pause();
    const seen = recorder();
    a.endpoint.open(b.address, 'raft', seen);
    await world.until(() => seen.closed.length === 1);
    expect(seen.closed).toEqual(['unreachable']);
    world.clocks.get(2)?.resume();
    world.network.resume(two);
  });

  test('the same seed and the same calls give the same run', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1_000_000 }), async (seed) => {
        const runs = [await trace(seed), await trace(seed)];
        expect(runs[0]).toEqual(runs[1]);
      }),
      { numRuns: 10 },
    );
  });
});

/** What a small run with faults looks like from outside: who got what, when. */
async function trace(seed: number): Promise<readonly string[]> {
  const world = createMemoryWorld(seed);
  const lines: string[] = [];
  const { a, b, stream, seen, far } = await connected(world);
  for (let count = 0; count < 30; count++) {
    stream.send(Buffer.from(`${count}`), [Buffer.alloc(count * 1000)]);
    if (count === 10) world.network.cut(one, two);
    if (count === 15) world.network.heal(one, two);
    if (count === 25) world.network.kill(two);
    await world.time.advance(0.1);
    lines.push(`${world.time.now()} ${far.seen.frames.length} ${seen.closed.join()}`);
  }
  lines.push(JSON.stringify([a.lines, b.lines, world.time.executedCount]));
  await world.close();
  return lines;
}
