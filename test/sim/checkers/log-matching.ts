/**
 * Log matching: an index and a term name one entry and one history before it. Each pair is noted with
 * its entry and with the term before it; by induction equal pairs have equal prefixes.
 */
import type { LogView } from '../../../controller/raft/core/log-view.ts';
import type { LogIndex } from '../../../proto/model/offset.ts';
import { hashAfter } from '../hash-machine.ts';
import type { Member } from '../quorum-process.ts';
import { type Checker, Violation } from '../world.ts';

export class LogMatching implements Checker {
  readonly name = 'log-matching';
  readonly #members: readonly Member[];
  readonly #seen = new Map<Member, LogView>();
  readonly #known = new Map<string, { readonly hash: number; readonly termBefore: number }>();

  constructor(members: readonly Member[]) {
    this.#members = members;
  }

  check(): void {
    for (const member of this.#members) {
      const log = member.quorum?.state.log;
      if (log === undefined || this.#seen.get(member) === log) continue;
      const before = this.#seen.get(member);
      this.#seen.set(member, log);
      this.#compare(member, log, before);
    }
  }

  #compare(member: Member, log: LogView, before: LogView | undefined): void {
    for (let index = log.lastIndex; index > log.base.index; index--) {
      const entry = log.entryAt(index);
      if (entry === undefined)
        throw new Violation(this.name, `${member.id} has a hole at ${index}`);
      // The same object at the same place: everything before it was looked at.
      if (before?.entryAt(index) === entry) return;
      const termBefore = log.termAt((index - 1) as LogIndex) ?? 0;
      const key = `${index}/${entry.term}`;
      const hash = hashAfter(0, entry);
      const known = this.#known.get(key);
      if (known === undefined) this.#known.set(key, { hash, termBefore });
      else if (known.hash !== hash || known.termBefore !== termBefore) {
        throw new Violation(this.name, `${member.id} has another entry or history at ${key}`);
      }
    }
  }
}
