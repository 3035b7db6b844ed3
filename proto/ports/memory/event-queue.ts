/**
 * A binary heap of events ordered by (virtual time, sequence). The sequence makes the order total, so
 * that the same calls give the same trace.
 */
export interface QueuedEvent {
  /** Virtual microseconds, whole. */
  readonly at: number;
  /** Order of scheduling among events of the same time; never reused. */
  readonly sequence: number;
}

/** A priority queue of events; `pop` returns the earliest. */
export class EventQueue<Event extends QueuedEvent> {
  readonly #heap: Event[] = [];

  get size(): number {
    return this.#heap.length;
  }

  peek(): Event | undefined {
    return this.#heap[0];
  }

  push(event: Event): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(event);
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || before(parent, event)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = event;
  }

  pop(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    this.#sink(last);
    return first;
  }

  /** Drops the events that `keep` refuses: what keeps cancelled timers from filling the queue. */
  prune(keep: (event: Event) => boolean): void {
    const kept = this.#heap.filter((event) => keep(event));
    this.#heap.length = 0;
    for (const event of kept) this.push(event);
  }

  /** Places `event` at the root and lets it sink to where it belongs. */
  #sink(event: Event): void {
    const heap = this.#heap;
    let index = 0;
    for (;;) {
      let childIndex = 2 * index + 1;
      let child = heap[childIndex];
      if (child === undefined) break;
      const right = heap[childIndex + 1];
      if (right !== undefined && before(right, child)) {
        child = right;
        childIndex++;
      }
      if (before(event, child)) break;
      heap[index] = child;
      index = childIndex;
    }
    heap[index] = event;
  }
}

function before(one: QueuedEvent, other: QueuedEvent): boolean {
  return one.at < other.at || (one.at === other.at && one.sequence < other.sequence);
}
