/**
 * Whom an event may have changed, so that checkers look at those alone: what runs on the clock of a node
 * changes that node, and what the network delivers changes whom it is delivered to. An event of anybody
 * else, a fault or a script, may have changed everybody.
 *
 * Now and then everybody is looked at all the same: who has changed then unnoticed was forgotten here.
 */
import type { VirtualClock } from '../../proto/ports/memory/virtual-clock.ts';

/** What a checker is told. */
export interface Touched {
  /** Whether to look at the node. */
  has(node: number): boolean;
  /** It is looked at although nothing should have changed there. */
  isSample(node: number): boolean;
}

/** One event in so many is a sample. */
const sampleEvery = 64;
/** Nodes are bits of a number. */
const nodesMax = 31;

export class TouchedNodes implements Touched {
  /** The node of a clock; undefined: it is known to be nobody's. */
  readonly #owners = new WeakMap<VirtualClock, number | undefined>();
  #present = 0;
  #isAll = true;
  #isSample = false;
  #events = 0;

  /** Says whose process runs on a clock; undefined: one that is no node, such as a client. */
  own(clock: VirtualClock, node: number | undefined): void {
    this.#owners.set(clock, node);
  }

  /** Something was handed to a node's process in this event. */
  add(node: number): void {
    if (node < nodesMax) this.#present |= 1 << node;
    else this.#isAll = true;
  }

  /** The event is over; it was of this clock. */
  ended(owner: VirtualClock): void {
    const node = this.#owners.get(owner);
    if (node !== undefined) this.add(node);
    else if (!this.#owners.has(owner)) this.#isAll = true;
    this.#isSample = ++this.#events % sampleEvery === 0;
  }

  /** The next event begins. */
  forget(): void {
    this.#present = 0;
    this.#isAll = false;
  }

  has(node: number): boolean {
    return this.#isSample || this.#isTouched(node);
  }

  isSample(node: number): boolean {
    return !this.#isTouched(node);
  }

  #isTouched(node: number): boolean {
    return this.#isAll || (this.#present & (1 << node)) !== 0;
  }
}
