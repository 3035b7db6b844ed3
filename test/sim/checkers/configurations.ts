/**
 * S20: neighbouring configurations differ by at most one voter, so their majorities meet; and a leader
 * never has two that are not committed.
 */
import type { RaftState } from '../../../controller/raft/core/state.ts';
import type { Configuration } from '../../../controller/raft/core/voter.ts';
import type { Member } from '../quorum-process.ts';
import { type Checker, Violation } from '../world.ts';

export class Configurations implements Checker {
  readonly name = 'configurations';
  readonly #members: readonly Member[];
  readonly #seen = new Map<Member, readonly Configuration[]>();

  constructor(members: readonly Member[]) {
    this.#members = members;
  }

  check(): void {
    for (const member of this.#members) {
      const state = member.quorum?.state;
      if (state === undefined || this.#seen.get(member) === state.configurations) continue;
      this.#seen.set(member, state.configurations);
      this.#compare(member, state);
    }
  }

  #compare({ id }: Member, { configurations, commitIndex, role }: RaftState): void {
    for (const [at, later] of configurations.entries()) {
      const earlier = configurations[at - 1];
      // The empty configuration of a member that has not joined is nobody's neighbour.
      if (earlier === undefined || earlier.voters.length === 0) continue;
      if (distance(earlier, later) > 1) {
        throw new Violation(this.name, `${id} has neighbours ${earlier.index} and ${later.index}`);
      }
    }
    const open = configurations.filter(({ index }) => index > commitIndex);
    // The first entry of a quorum is undecided like any other until the first leader commits.
    if (role.kind === 'leader' && open.filter(({ index }) => index > 1).length > 1) {
      throw new Violation(
        this.name,
        `${id} has ${open.length} configurations that are not committed`,
      );
    }
  }
}

function distance(a: Configuration, b: Configuration): number {
  const ids = new Set(a.voters.map(({ id }) => id));
  const added = b.voters.filter(({ id }) => !ids.has(id)).length;
  const removed = ids.size - (b.voters.length - added);
  return added + removed;
}
