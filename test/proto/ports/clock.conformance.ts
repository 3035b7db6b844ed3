import { expect, test } from 'vitest';
import type { Clock } from '../../../proto/ports/clock.ts';

/** A clock under test and the way to let its time pass until something has happened. */
export interface ClockUnderTest {
  readonly clock: Clock;
  readonly until: (predicate: () => boolean) => Promise<void>;
}

/** What every Clock does. */
export function clockConformance(make: () => ClockUnderTest): void {
  test('a callback comes once and not before its time', async () => {
    const { clock, until } = make();
    const started = clock.now();
    const calls: number[] = [];
    clock.after(20, () => calls.push(clock.now()));
    let isLater = false;
    clock.after(45, () => {
      isLater = true;
    });
    await until(() => isLater);
    expect(calls).toHaveLength(1);
    expect(calls[0]).toBeGreaterThanOrEqual(started + 20);
  });

  test('a cancelled timer never calls, and a late cancel is harmless', async () => {
    const { clock, until } = make();
    const calls: string[] = [];
    const cancelled = clock.after(5, () => calls.push('cancelled'));
    const kept = clock.after(10, () => calls.push('kept'));
    cancelled.cancel();
    await until(() => calls.length > 0);
    kept.cancel();
    cancelled.cancel();
    expect(calls).toEqual(['kept']);
  });

  test('soon comes after the work and the promise reactions of this turn', async () => {
    const { clock, until } = make();
    const order: string[] = [];
    clock.after(0, () => {
      clock.soon(() => order.push('soon'));
      void Promise.resolve()
        .then(() => undefined)
        .then(() => order.push('promise'));
      order.push('turn');
    });
    await until(() => order.includes('soon'));
    expect(order).toEqual(['turn', 'promise', 'soon']);
  });

  test('soon calls come in the order they were asked for', async () => {
    const { clock, until } = make();
    const order: number[] = [];
    for (const index of [0, 1, 2, 3]) clock.soon(() => order.push(index));
    await until(() => order.length === 4);
    expect(order).toEqual([0, 1, 2, 3]);
  });

  test('the monotonic clock never goes back and the wall clock is of this age', async () => {
    const { clock, until } = make();
    const seen: number[] = [clock.now()];
    for (const ms of [1, 2, 3]) clock.after(ms, () => seen.push(clock.now()));
    await until(() => seen.length === 4);
    expect(seen.toSorted((one, other) => one - other)).toEqual(seen);
    expect(clock.wall()).toBeGreaterThan(Date.UTC(2025, 0));
    expect(Number.isInteger(clock.wall())).toBe(true);
  });

  test('a delay beyond 2^31 ms waits and does not fire at once', async () => {
    const { clock, until } = make();
    let isFired = false;
    const timer = clock.after(2 ** 31 + 1000, () => {
      isFired = true;
    });
    let isLater = false;
    clock.after(20, () => {
      isLater = true;
    });
    await until(() => isLater);
    timer.cancel();
    expect(isFired).toBe(false);
  });
}
