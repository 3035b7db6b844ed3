/** The log of each partition as the history proves it: which values were seen at which offset. */
import type { History, Poll, Send } from './operation.ts';

export class PartitionOrder {
  /** Values at an offset; more than one is an anomaly. */
  readonly valuesAt = new Map<number, Set<string>>();
  readonly offsetsOf = new Map<string, Set<number>>();
  readonly sends = new Map<string, Send>();
  readonly polls: Poll[] = [];
  /** Every value that some poll returned. */
  readonly read = new Set<string>();
  #indexes: ReadonlyMap<number, number> | undefined;

  /** Offsets without their gaps: the n-th offset that holds something. */
  indexOf(offset: number): number {
    this.#indexes ??= new Map(
      [...this.valuesAt.keys()].sort((a, b) => a - b).map((at, index) => [at, index]),
    );
    return this.#indexes.get(offset) ?? -1;
  }

  /** The indexes of a value, in order. */
  indexesOf(value: string): number[] {
    return [...(this.offsetsOf.get(value) ?? [])]
      .map((offset) => this.indexOf(offset))
      .sort((a, b) => a - b);
  }

  put(offset: number, value: string): void {
    this.valuesAt.set(offset, (this.valuesAt.get(offset) ?? new Set()).add(value));
    this.offsetsOf.set(value, (this.offsetsOf.get(value) ?? new Set()).add(offset));
  }
}

/** The orders of all partitions of a history. */
export function versionOrders(history: History): ReadonlyMap<string, PartitionOrder> {
  const orders = new Map<string, PartitionOrder>();
  const orderOf = (partition: string): PartitionOrder => {
    const order = orders.get(partition) ?? new PartitionOrder();
    orders.set(partition, order);
    return order;
  };
  for (const operation of history) {
    const order = orderOf(operation.partition);
    if (operation.kind === 'poll') addPoll(order, operation);
    if (operation.kind !== 'send') continue;
    order.sends.set(operation.value, operation);
    if (operation.outcome === 'ok' && operation.offset !== undefined)
      order.put(operation.offset, operation.value);
  }
  return orders;
}

function addPoll(order: PartitionOrder, poll: Poll): void {
  order.polls.push(poll);
  for (const { offset, value } of poll.records) {
    order.put(offset, value);
    order.read.add(value);
  }
}
