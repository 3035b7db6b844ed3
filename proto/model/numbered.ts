/**
 * Items under numbers that are given in order, taken in about that order: what a Map of requests under
 * way does, except that it lets go of what is taken (see `queue.ts`: a Map that comes and goes leaves
 * stores behind, each of which knows the next).
 */
import { Queue } from './queue.ts';

export class Numbered<Item extends object> {
  /** From `#first` on; taken ones are empty until all before them are taken too. */
  readonly #items = new Queue<Item | undefined>();
  #first = 1;
  #size = 0;

  /** Items that have not been taken. */
  get size(): number {
    return this.#size;
  }

  /** The number of the oldest item; that of the next one if there is none. */
  get oldest(): number {
    return this.#first;
  }

  /** The number that the next item gets; the first is 1. */
  get next(): number {
    return this.#first + this.#items.length;
  }

  /** Gives the item the next number. */
  add(item: Item): number {
    const number = this.next;
    this.#items.push(item);
    this.#size++;
    return number;
  }

  get(number: number): Item | undefined {
    return this.#items.at(number - this.#first);
  }

  /** Takes the item away; undefined if there is none of that number, or no more. */
  take(number: number): Item | undefined {
    const item = this.get(number);
    if (item === undefined) return undefined;
    this.#items.set(number - this.#first, undefined);
    this.#size--;
    while (this.#items.length > 0 && this.#items.at(0) === undefined) {
      this.#items.shift();
      this.#first++;
    }
    return item;
  }

  /** All that have not been taken, oldest first. */
  values(): Item[] {
    return this.#items.slice().filter((item) => item !== undefined);
  }

  clear(): void {
    this.#first = this.next;
    this.#items.clear();
    this.#size = 0;
  }
}
