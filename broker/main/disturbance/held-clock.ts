/**
 * The clock of a node that can be paused: what falls due meanwhile is called when it goes on, late and
 * in order, as in a process that was stopped. Time itself goes on, so that the node sees the stall.
 *
 * Invariant: after `end` nothing that was asked for here is called any more.
 */
import type { Clock, Timer } from '../../../proto/ports/clock.ts';

export class HeldClock implements Clock {
  readonly #clock: Clock;
  readonly #timers = new Set<Timer>();
  /** What fell due while the clock was held. */
  #due: (() => void)[] = [];
  #isHeld = false;
  #isEnded = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  wall(): number {
    return this.#clock.wall();
  }

  after(ms: number, callback: () => void): Timer {
    if (this.#isEnded) return { cancel: () => undefined };
    let isCancelled = false;
    const inner = this.#clock.after(ms, () => {
      this.#timers.delete(inner);
      this.#call(() => {
        if (!isCancelled) callback();
      });
    });
    this.#timers.add(inner);
    return {
      cancel: () => {
        isCancelled = true;
        this.#timers.delete(inner);
        inner.cancel();
      },
    };
  }

  soon(callback: () => void): void {
    this.#clock.soon(() => this.#call(callback));
  }

  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    const due = this.#due;
    this.#due = [];
    for (const callback of due) this.#call(callback);
  }

  /** The node is gone: nothing of it happens any more, and it keeps no process alive. */
  end(): void {
    this.#isEnded = true;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    this.#due = [];
  }

  #call(callback: () => void): void {
    if (this.#isEnded) return;
    if (this.#isHeld) this.#due.push(callback);
    else callback();
  }
}
