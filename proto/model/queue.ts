/**
 * First in, first out, for what holds many bytes: a place lets go of its item the moment that is taken,
 * and a store that was outgrown holds nothing. An array that is shifted now and then keeps what was taken
 * for a while, and a store that it left behind, grown old, keeps alive all that it held when it was left.
 */

const placesMin = 8;

export class Queue<Item> {
  /** A ring of 2ⁿ places; none before the first item. */
  #places: (Item | undefined)[] = [];
  #first = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The item at a position, counted from the oldest. */
  at(position: number): Item | undefined {
    if (position < 0 || position >= this.#length) return undefined;
    return this.#places[this.#placeOf(position)];
  }

  push(item: Item): void {
    if (this.#length === this.#places.length) this.#move(Math.max(placesMin, this.#length * 2));
    this.#places[this.#placeOf(this.#length)] = item;
    this.#length++;
  }

  /** Replaces the item at a position. */
  set(position: number, item: Item): void {
    if (position < 0 || position >= this.#length) return;
    this.#places[this.#placeOf(position)] = item;
  }

  /** Takes the oldest. */
  shift(): Item | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#places[this.#first];
    this.#places[this.#first] = undefined;
    this.#first = this.#placeOf(1);
    this.#length--;
    this.#shrink();
    return item;
  }

  /** Takes the newest. */
  pop(): Item | undefined {
    if (this.#length === 0) return undefined;
    const place = this.#placeOf(this.#length - 1);
    const item = this.#places[place];
    this.#places[place] = undefined;
    this.#length--;
    return item;
  }

  clear(): void {
    this.#places.fill(undefined);
    this.#places = [];
    this.#first = 0;
    this.#length = 0;
  }

  /** The items from a position on, oldest first. */
  slice(from = 0): Item[] {
    const items: Item[] = [];
    for (let position = from; position < this.#length; position++)
      items.push(this.at(position) as Item);
    return items;
  }

  /** All that are here now, oldest first. */
  [Symbol.iterator](): IterableIterator<Item> {
    return this.slice().values();
  }

  #placeOf(position: number): number {
    return (this.#first + position) & (this.#places.length - 1);
  }

  /** A queue that was long once and is short again gives the places back. */
  #shrink(): void {
    const { length } = this.#places;
    if (length > 1024 && this.#length * 8 < length) this.#move(length / 4);
  }

  #move(count: number): void {
    const places = Array.from<Item | undefined>({ length: count });
    for (let position = 0; position < this.#length; position++)
      places[position] = this.at(position);
    this.#places.fill(undefined);
    this.#places = places;
    this.#first = 0;
  }
}
