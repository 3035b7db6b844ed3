import type { Clock, Timer } from './clock.ts';

/** One timer for whatever is due next: never later than wanted, so that who is called early looks again. */
export class DueTimer {
  readonly #clock: Clock;
  readonly #onDue: () => void;
  #armed: { readonly atMs: number; readonly timer: Timer } | undefined;

  constructor(clock: Clock, onDue: () => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** It is called at this time at the latest. */
  arm(atMs: number): void {
    if (this.#armed !== undefined && this.#armed.atMs <= atMs) return;
    this.cancel();
    const timer = this.#clock.after(Math.max(0, atMs - this.#clock.now()), () => {
      this.#armed = undefined;
      this.#onDue();
    });
    this.#armed = { atMs, timer };
  }

  cancel(): void {
    this.#armed?.timer.cancel();
    this.#armed = undefined;
  }
}
