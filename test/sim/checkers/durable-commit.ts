/**
 * A commit is on the disks of a majority when it is made (S19), whatever the processes believe. Sees
 * the disks by their ghosts, those of machines that are down included.
 */
import type { RaftState } from '../../../controller/raft/core/state.ts';
import type { LogIndex } from '../../../proto/model/offset.ts';
import type { Member } from '../quorum-process.ts';
import { Violation } from '../world.ts';
import type { CommittedLog } from './committed-log.ts';

export function checkDurableCommits(members: readonly Member[], committed: CommittedLog): void {
  committed.onExtended = (_member, state) => {
    const last = committed.entries.at(-1)?.entry;
    if (last === undefined) return;
    const holders = members.filter((member) => holds(member, last.index, last.term));
    const voters = votersAt(state, last.index);
    const count = voters.filter((id) => holders.some((member) => member.id === id)).length;
    if (count * 2 > voters.length) return;
    const what = `entry ${last.index} is on ${count} of ${voters.length} voters' disks`;
    throw new Violation('commit-is-durable', what);
  };
}

/** The configuration that decided the entry is the one in force at the committing member. */
function votersAt(state: RaftState, index: LogIndex): readonly string[] {
  const isLeader = state.role.kind === 'leader';
  const configuration = state.configurations.findLast((one) => isLeader || one.index <= index);
  return configuration?.voters.map(({ id }) => id) ?? [];
}

function holds({ durable }: Member, index: LogIndex, term: number): boolean {
  if (durable === undefined) return false;
  return index <= durable.log.base.index || durable.log.termAt(index) === term;
}
