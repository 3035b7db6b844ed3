/**
 * Spreads the bytes of a background task over time. What was taken beyond the rate is waited for
 * before more is taken; `stop` ends every wait at once.
 */
import type { Clock, Timer } from '../../proto/ports/clock.ts';

/** How much may be saved up while nothing was taken. */
const burstMs = 100;

export class IoPace {
  readonly #clock: Clock;
  readonly #bytesPerSecond: number;
  /** Everything taken so far is paid for at this time. */
  #paidMs: number;
  #isStopped = false;
  #timer: Timer | undefined;
  #wake: (() => void) | undefined;

  constructor(clock: Clock, bytesPerSecond: number) {
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
    this.#paidMs = clock.now();
  }

  /** True once the task is to end. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Takes bytes; resolves when the rate allows the next. One caller at a time. */
  async take(bytes: number): Promise<void> {
    const now = this.#clock.now();
    const from = Math.max(this.#paidMs, now - burstMs);
    this.#paidMs = from + (bytes * 1000) / this.#bytesPerSecond;
    const waitMs = this.#paidMs - now;
    if (waitMs < 1 || this.#isStopped) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#timer = this.#clock.after(waitMs, resolve);
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#wake?.();
  }
}
