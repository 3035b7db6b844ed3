/**
 * What a consumer group has handled and committed. Every record is handled at least once: none is handed
 * out before all below it were handled. Committed offsets never go back: who is given a partition begins
 * nowhere below what somebody had been told to be committed.
 */
import { Violation } from '../world.ts';

export class GroupProgress {
  readonly #group: string;
  /** By `topic/partition`: everything below was handled by somebody. */
  readonly #handled = new Map<string, number>();
  readonly #committed = new Map<string, number>();
  /** By member and place: where its first record has to lie at the least. */
  readonly #floors = new Map<string, number>();

  constructor(group: string) {
    this.#group = group;
  }

  handled(place: string): number {
    return this.#handled.get(place) ?? 0;
  }

  /** A member was told that everything below is committed. */
  committed(place: string, to: number): void {
    this.#committed.set(place, Math.max(this.#committed.get(place) ?? 0, to));
  }

  /** A member reads the partition from here on, from where the group has committed. */
  assigned(member: string, place: string): void {
    this.#floors.set(`${member} ${place}`, this.#committed.get(place) ?? 0);
  }

  /** A member handles a record; returns what is wrong with that. */
  take(member: string, place: string, offset: number): string | undefined {
    const handled = this.handled(place);
    if (offset > handled)
      return `${this.#group}: ${place} ${offset} is handed out, ${handled} was not handled`;
    if (offset === handled) this.#handled.set(place, offset + 1);
    const floor = this.#floors.get(`${member} ${place}`) ?? 0;
    this.#floors.delete(`${member} ${place}`);
    if (offset < floor)
      return `${this.#group}: ${member} begins ${place} at ${offset}, committed was ${floor}`;
    return undefined;
  }

  /** What the coordinator has at the end. */
  found(place: string, committed: number): void {
    const told = this.#committed.get(place) ?? 0;
    if (committed < told)
      throw new Violation(
        'group-progress',
        `${this.#group}: ${committed} is committed of ${place}, a member was told ${told}`,
      );
  }
}
