/**
 * A commit is on the disks of a majority when it is made (S19), whatever the processes believe. Sees
 * the disks by their ghosts, those of machines that are down included.
 */
import { configurationsInPlay } from '../../../controller/raft/core/turn.ts';
import type { LogIndex } from '../../../proto/model/offset.ts';
import type { Member } from '../quorum-process.ts';
import { Violation } from '../world.ts';
import type { CommittedLog } from './committed-log.ts';

export function checkDurableCommits(members: readonly Member[], committed: CommittedLog): void {
  committed.onExtended = (_member, state) => {
    const last = committed.entries.at(-1)?.entry;
    if (last === undefined) return;
    const holders = members.filter((member) => holds(member, last.index, last.term));
    // The entry was decided by the configuration of that moment; a later one may be appended already.
    const isOnMajority = configurationsInPlay(state).some(({ voters }) => {
      const count = voters.filter(({ id }) => holders.some((member) => member.id === id)).length;
      return count * 2 > voters.length;
    });
    if (isOnMajority) return;
    const where = holders.map(({ id }) => id).join(' and ');
    throw new Violation(
      'commit-is-durable',
      `entry ${last.index} is only on the disks of ${where}`,
    );
  };
}

function holds({ durable }: Member, index: LogIndex, term: number): boolean {
  if (durable === undefined) return false;
  return index <= durable.log.base.index || durable.log.termAt(index) === term;
}
