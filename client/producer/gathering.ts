/** The time that what a leader is to get has gathered, and the end of it. */
import type { Clock, Timer } from '../../proto/ports/clock.ts';
import { gatherMsMax } from './core/leaving.ts';

export class Gathering {
  readonly #clock: Clock;
  readonly #over: () => void;
  #timer: Timer | undefined;
  /** Since when something waits that did not leave at once. */
  #sinceMs: number | undefined;

  constructor(clock: Clock, over: () => void) {
    this.#clock = clock;
    this.#over = over;
  }

  /** So long has the oldest waited. */
  gatheredMs(nowMs: number): number {
    return nowMs - (this.#sinceMs ?? nowMs);
  }

  /** It waits for more, for an answer, or for its time to be over. */
  wait(nowMs: number): void {
    this.#sinceMs ??= nowMs;
    const leftMs = this.#sinceMs + gatherMsMax - nowMs;
    if (leftMs > 0) this.#timer ??= this.#clock.after(leftMs, () => this.#expire());
  }

  /** All of it has left, or nothing is left of it. */
  end(): void {
    this.#sinceMs = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #expire(): void {
    this.#timer = undefined;
    this.#over();
  }
}
