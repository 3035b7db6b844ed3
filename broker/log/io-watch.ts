/**
 * Notices a disk that does not answer (rule B5.9): a hung flush would keep a dead leader alive. Every
 * write, flush and commit is watched; one timer runs while any is in flight.
 */
import type { Clock, Timer } from '../../proto/ports/clock.ts';

/** What happens when an operation takes too long. */
export interface IoWatchOptions {
  readonly clock: Clock;
  readonly stalledMs: number;
  /** The oldest operation has been in flight for `stalledMs`: the node should fence itself. */
  onStalled(ms: number): void;
  /** Twice as long: the disk is taken for dead. */
  onDead(ms: number): void;
}

export class IoWatch {
  readonly #options: IoWatchOptions;
  /** When each operation in flight began; a Map keeps the order. */
  readonly #began = new Map<number, number>();
  #lastBegun = 0;
  #timer: Timer | undefined;
  #isToldStalled = false;

  constructor(options: IoWatchOptions) {
    this.#options = options;
  }

  /** The promise as it is; watched until it settles. */
  watch<Result>(operation: Promise<Result>): Promise<Result> {
    const begun = this.begins();
    const ended = (): void => this.ended(begun);
    operation.then(ended, ended);
    return operation;
  }

  /** An operation begins; whoever says so says with the returned number that it has ended. */
  begins(): number {
    const begun = ++this.#lastBegun;
    this.#began.set(begun, this.#options.clock.now());
    this.#arm();
    return begun;
  }

  /** The operation has ended, well or badly. */
  ended(begun: number): void {
    this.#began.delete(begun);
    if (this.#began.size === 0) this.#isToldStalled = false;
  }

  /** Nothing is told any more. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#began.clear();
  }

  #arm(): void {
    this.#timer ??= this.#options.clock.after(this.#options.stalledMs / 4, () => {
      this.#timer = undefined;
      this.#look();
      if (this.#began.size > 0) this.#arm();
    });
  }

  #look(): void {
    const { clock, stalledMs } = this.#options;
    for (const began of this.#began.values()) {
      const ms = clock.now() - began;
      if (ms >= 2 * stalledMs) this.#options.onDead(ms);
      else if (ms >= stalledMs && !this.#isToldStalled) {
        this.#isToldStalled = true;
        this.#options.onStalled(ms);
      }
      return; // The first is the oldest.
    }
  }
}
