/**
 * One direction of one simulated connection: what is put in comes out in order, each item after the
 * delay of its direction. While the way is blocked items are held, as a sender's TCP would go on to
 * repeat them; they come out when it is free again.
 */
import type { Clock, Timer } from '../../ports/clock.ts';

export interface PipeItem {
  /** The machine takes it even while the process there stands still. */
  readonly isForMachine?: boolean;
  arrive(): void;
}

/** The way that the pipe takes. */
export interface PipeWay {
  /** Drawn once for each item. */
  delayMs(): number;
  isBlocked(item: PipeItem): boolean;
}

export class MemoryPipe {
  readonly #clock: Clock;
  readonly #way: PipeWay;
  #items: { readonly item: PipeItem; readonly dueAt: number }[] = [];
  #timer: Timer | undefined;

  constructor(clock: Clock, way: PipeWay) {
    this.#clock = clock;
    this.#way = way;
  }

  put(item: PipeItem): void {
    const last = this.#items.at(-1)?.dueAt ?? 0;
    const dueAt = Math.max(last, this.#clock.now() + this.#way.delayMs());
    this.#items.push({ item, dueAt });
    this.pump();
  }

  get length(): number {
    return this.#items.length;
  }

  /** Everything under way but the first `count` items is lost. */
  keep(count: number): void {
    this.#items = this.#items.slice(0, count);
  }

  /** Goes on after the way has changed. Items arrive one an event, never before it returns. */
  pump(): void {
    const next = this.#items[0];
    if (next === undefined || this.#timer !== undefined || this.#way.isBlocked(next.item)) return;
    const waitMs = Math.max(0, next.dueAt - this.#clock.now());
    this.#timer = this.#clock.after(waitMs, () => {
      this.#timer = undefined;
      this.#deliver();
      this.pump();
    });
  }

  /** The first item, unless it was lost, is not due or is blocked meanwhile. */
  #deliver(): void {
    const next = this.#items[0];
    if (next === undefined || next.dueAt > this.#clock.now()) return;
    if (this.#way.isBlocked(next.item)) return;
    this.#items.shift();
    next.item.arrive();
  }
}
