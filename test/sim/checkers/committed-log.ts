/**
 * State machine safety: at one index every member commits the same entry, once and for ever. Keeps
 * the one log that all members together have committed; other checkers compare with it.
 *
 * With it S21: equal applied index, equal state, whether replayed or restored from a snapshot.
 */
import type { LogEntry } from '../../../controller/raft/core/entry.ts';
import type { RaftState } from '../../../controller/raft/core/state.ts';
import { hashAfter } from '../hash-machine.ts';
import type { Member } from '../quorum-process.ts';
import { type Checker, Violation } from '../world.ts';

export class CommittedLog implements Checker {
  readonly name = 'state-machine-safety';
  /** The entry committed at index i + 1, and the state after it. */
  readonly entries: {
    readonly entry: LogEntry;
    readonly hash: number;
    /** The term by which it was committed; its own term or a later one. */
    readonly committedIn: number;
  }[] = [];
  /** The member whose commit was the first to reach the end of the log. */
  onExtended: (member: Member, state: RaftState) => void = () => {};
  readonly #members: readonly Member[];
  constructor(members: readonly Member[]) {
    this.#members = members;
  }

  get lastIndex(): number {
    return this.entries.length;
  }

  check(): void {
    for (const member of this.#members) {
      const fresh = member.replica.fresh.splice(0);
      const before = this.lastIndex;
      for (const entry of fresh) this.#compare(member, entry);
      const state = member.quorum?.state;
      if (this.lastIndex > before && state !== undefined) this.onExtended(member, state);
      if (fresh.length > 0) this.#compareReplica(member);
    }
  }

  #compare(member: Member, entry: LogEntry): void {
    const known = this.entries[entry.index - 1];
    if (known === undefined) this.#extend(member, entry);
    else if (known.hash !== hashAfter(this.entries[entry.index - 2]?.hash ?? 0, entry)) {
      throw new Violation(this.name, `${member.id} committed another entry at ${entry.index}`);
    }
  }

  #extend(member: Member, entry: LogEntry): void {
    if (entry.index !== this.entries.length + 1) {
      throw new Violation(this.name, `${member.id} committed ${entry.index} over a hole`);
    }
    const hash = hashAfter(this.entries.at(-1)?.hash ?? 0, entry);
    const committedIn = member.quorum?.state.hard.term ?? Number.POSITIVE_INFINITY;
    this.entries.push({ entry, hash, committedIn });
  }

  #compareReplica({ id, replica }: Member): void {
    const expected = replica.appliedIndex === 0 ? 0 : this.entries[replica.appliedIndex - 1]?.hash;
    if (expected === replica.hash) return;
    throw new Violation(
      'snapshot-equals-replay',
      `${id} has another state at ${replica.appliedIndex}`,
    );
  }
}
