/** Election safety: at most one leader in a term, over all lives of all members. */
import type { RaftState } from '../../../controller/raft/core/state.ts';
import type { VoterId } from '../../../controller/raft/core/voter.ts';
import type { Member } from '../quorum-process.ts';
import { type Checker, Violation, type World } from '../world.ts';
import type { CommittedLog } from './committed-log.ts';

/**
 * With it leader completeness: whoever comes to lead holds everything that was ever committed.
 */
export class ElectionSafety implements Checker {
  readonly name = 'election-safety';
  readonly leaders = new Map<number, VoterId>();
  readonly #world: World;
  readonly #members: readonly Member[];
  readonly #committed: CommittedLog;
  readonly #seen = new Map<Member, RaftState>();

  constructor(world: World, members: readonly Member[], committed: CommittedLog) {
    this.#world = world;
    this.#members = members;
    this.#committed = committed;
  }

  check(): void {
    for (const member of this.#members) {
      const state = member.quorum?.state;
      if (state === undefined || this.#seen.get(member) === state) continue;
      this.#seen.set(member, state);
      if (state.role.kind !== 'leader' || this.leaders.get(state.hard.term) === member.id) continue;
      this.#elected(member, state);
    }
  }

  #elected({ id }: Member, state: RaftState): void {
    const { term } = state.hard;
    const other = this.leaders.get(term);
    if (other !== undefined) {
      throw new Violation(this.name, `${id} and ${other} both lead term ${term}`);
    }
    this.leaders.set(term, id);
    this.#world.reach('elected');
    for (const { entry, committedIn } of this.#committed.entries) {
      // A candidate that stood still may learn late that it won: later terms went on without it.
      if (entry.index <= state.log.base.index || committedIn >= term) continue;
      if (state.log.termAt(entry.index) !== entry.term) {
        const where = `${entry.index} of term ${entry.term}`;
        throw new Violation('leader-completeness', `${id} leads term ${term} without ${where}`);
      }
    }
  }
}
