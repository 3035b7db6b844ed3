/**
 * Everything that reaches a node passes its gate, one thing after the other: at once, after a delay, or
 * not before the node goes on.
 *
 * Invariants: what passes keeps its order; after `end` nothing passes.
 */
import type { Clock } from '../../../proto/ports/clock.ts';

interface Waiting {
  readonly dueAt: number;
  readonly arrive: () => void;
}

export class InputGate {
  readonly #clock: Clock;
  readonly #waiting: Waiting[] = [];
  readonly #onHold = new Set<(isHeld: boolean) => void>();
  #delayMs = 0;
  #isHeld = false;
  #isEnded = false;
  #isDraining = false;

  /** `clock` is one that is never held. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** True while what arrives would pass at once. */
  get isOpen(): boolean {
    return !this.#isHeld && !this.#isEnded && this.#delayMs === 0 && this.#waiting.length === 0;
  }

  /** Lets `arrive` happen in its turn. */
  pass(arrive: () => void): void {
    if (this.isOpen && !this.#isDraining) return arrive();
    if (this.#isEnded) return;
    this.#waiting.push({ dueAt: this.#clock.now() + this.#delayMs, arrive });
    if (this.#delayMs > 0) this.#clock.after(this.#delayMs, () => this.#drain());
  }

  /** Tells whoever can stop its source, so that little has to wait here; returns how to stop that. */
  watch(onHold: (isHeld: boolean) => void): () => void {
    this.#onHold.add(onHold);
    return () => this.#onHold.delete(onHold);
  }

  hold(): void {
    this.#isHeld = true;
    for (const onHold of this.#onHold) onHold(true);
  }

  release(): void {
    this.#isHeld = false;
    this.#drain();
    for (const onHold of this.#onHold) onHold(false);
  }

  /** From here on everything takes so much longer; 0 for no delay. */
  delay(ms: number): void {
    this.#delayMs = ms;
    this.#drain();
  }

  end(): void {
    this.#isEnded = true;
    this.#waiting.length = 0;
    this.#onHold.clear();
  }

  #drain(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    try {
      for (;;) {
        const [first] = this.#waiting;
        if (first === undefined || this.#isHeld) return;
        const leftMs = first.dueAt - this.#clock.now();
        if (leftMs > 0 && this.#delayMs > 0) return;
        this.#waiting.shift();
        first.arrive();
      }
    } finally {
      this.#isDraining = false;
    }
  }
}
