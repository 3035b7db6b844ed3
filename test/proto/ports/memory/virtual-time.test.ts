import { describe, expect, test } from 'vitest';
import { VirtualTime } from '../../../../proto/ports/memory/virtual-time.ts';
import { clockConformance } from '../clock.conformance.ts';

describe('the virtual clock is a Clock', () => {
  clockConformance(() => {
    const time = new VirtualTime();
    return {
      clock: time.clockFor('node 1'),
      until: async (predicate) => {
        expect(await time.runUntil(predicate, 60_000)).toBe(true);
      },
    };
  });
});

describe('virtual time', () => {
  test('orders events by time and then by when they were scheduled', async () => {
    const time = new VirtualTime();
    const order: string[] = [];
    const one = time.clockFor('1');
    const two = time.clockFor('2');
    two.after(5, () => order.push('2 at 5'));
    one.after(3, () => order.push('1 at 3'));
    one.after(5, () => order.push('1 at 5'));
    two.after(3, () => {
      order.push('2 at 3');
      two.soon(() => order.push('2 soon'));
    });
    await time.advance(10);
    expect(order).toEqual(['1 at 3', '2 at 3', '2 soon', '2 at 5', '1 at 5']);
    expect(time.now()).toBe(10);
  });

  test('runs long promise chains to their end before the next event', async () => {
    const time = new VirtualTime();
    const order: string[] = [];
    time.clock.after(1, () => {
      void (async () => {
        for (let index = 0; index < 1000; index++) await Promise.resolve();
        order.push('chain');
      })();
    });
    time.clock.after(1, () => order.push('next event'));
    await time.advance(1);
    expect(order).toEqual(['chain', 'next event']);
  });

  test('a paused node is called late and in order, once it resumes', async () => {
    const time = new VirtualTime();
    const node = time.clockFor('1');
    const calls: string[] = [];
    node.after(10, () => calls.push(`10 at ${node.now()}`));
    node.after(20, () => calls.push(`20 at ${node.now()}`));
    const cancelled = node.after(15, () => calls.push('cancelled'));
    node.after(500, () => calls.push(`500 at ${node.now()}`));
    node.pause();
    await time.advance(100);
    expect(calls).toEqual([]);
    cancelled.cancel();
    node.resume();
    await time.advance(1000);
    expect(calls).toEqual(['10 at 100', '20 at 100', '500 at 500']);
  });

  test('a stopped node is never called again, and others are', async () => {
    const time = new VirtualTime();
    const dead = time.clockFor('1');
    const calls: string[] = [];
    dead.after(1, () => calls.push('dead'));
    dead.soon(() => calls.push('dead'));
    time.clockFor('1 restarted').after(2, () => calls.push('restarted'));
    dead.stop();
    dead.after(1, () => calls.push('dead'));
    await time.advance(10);
    expect(calls).toEqual(['restarted']);
  });

  test('a node with a fast clock is called early in true time, never early in its own', async () => {
    const time = new VirtualTime();
    const fast = time.clockFor('1', { rate: 2, originMs: 5000, wallSkewMs: -700 });
    const calls: number[] = [];
    fast.after(100, () => calls.push(time.now(), fast.now()));
    expect(fast.wall() - time.clock.wall()).toBe(-700);
    fast.jumpWall(1000);
    expect(fast.wall() - time.clock.wall()).toBe(300);
    await time.advance(100);
    expect(calls).toEqual([50, 5100]);
  });

  test('complete returns what a promise settles to and fails one that never does', async () => {
    const time = new VirtualTime();
    const wait = new Promise<string>((resolve) => {
      time.clock.after(50, () => resolve('done'));
    });
    expect(await time.complete(wait, 100)).toBe('done');
    expect(time.now()).toBe(50);
    await expect(time.complete(new Promise(() => {}), 100)).rejects.toThrow('settles within');
  });

  test('an event that throws fails the run, and the run can go on after it', async () => {
    const time = new VirtualTime();
    const calls: string[] = [];
    time.clock.after(1, () => {
      throw new Error('broken event');
    });
    time.clock.after(2, () => calls.push('later'));
    await expect(time.advance(5)).rejects.toThrow('broken event');
    await time.advance(5);
    expect(calls).toEqual(['later']);
  });

  test('the observer runs after each event and what it set off', async () => {
    const time = new VirtualTime();
    const seen: number[] = [];
    let value = 0;
    time.observe(() => seen.push(value));
    for (const ms of [1, 2]) {
      time.clock.after(ms, () => {
        void Promise.resolve().then(() => value++);
      });
    }
    await time.advance(5);
    expect(seen).toEqual([1, 2]);
  });

  test('cancelled timers do not fill the queue', async () => {
    const time = new VirtualTime();
    for (let index = 0; index < 10_000; index++) time.clock.after(1e6, () => {}).cancel();
    expect(time.isIdle).toBe(true);
    let isCalled = false;
    time.clock.after(1, () => {
      isCalled = true;
    });
    expect(time.isIdle).toBe(false);
    await time.runUntilIdle();
    expect(isCalled).toBe(true);
    expect(time.now()).toBe(1);
    expect(time.executedCount).toBe(1);
  });
});
