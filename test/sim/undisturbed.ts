/**
 * What a healed quorum has to bear without harm: a follower that was cut off for long comes back and
 * nobody loses the lead by it (rules B4.5, B4.10), and a leader that is cut off says in time that it
 * leads no more (rule B4.6).
 */
import type { Member } from './quorum-process.ts';
import { Violation, type World } from './world.ts';

/** So many election timeouts a member is cut off. */
const cutTimeouts = 6;
/** A leader notices at its next heartbeat after the timeout; its clock may have just been reset. */
const noticeTimeouts = 3;

/** Looks at a quorum at rest, of which everybody runs. */
export async function checkUndisturbed(
  world: World,
  members: readonly Member[],
  electionMs: number,
): Promise<void> {
  const leader = members.find(leads);
  const voters = leader?.quorum?.status.voters ?? [];
  if (leader === undefined || voters.length < 3) return;
  const follower = members.find(
    (member) => member !== leader && voters.some(({ id }) => id === member.id),
  );
  if (follower === undefined) return;
  const term = termOf(leader);
  cutOff(world, members, follower);
  await world.time.advance(cutTimeouts * electionMs);
  world.network.healAll();
  await world.time.advance(cutTimeouts * electionMs);
  if (!leads(leader) || termOf(leader) !== term) {
    throw new Violation('undisturbed', 'a follower came back and the leader had to go');
  }
  cutOff(world, members, leader);
  await world.time.advance(noticeTimeouts * electionMs);
  if (leads(leader) && termOf(leader) === term) {
    throw new Violation('check-quorum', 'a leader that nobody can hear goes on leading');
  }
  world.reach('quorum-undisturbed');
}

function cutOff(world: World, members: readonly Member[], cut: Member): void {
  for (const { machine } of members)
    if (machine !== cut.machine) world.network.cutBoth(cut.machine.nodeId, machine.nodeId);
}

function leads(member: Member): boolean {
  return member.isRunning && member.quorum?.state.role.kind === 'leader';
}

function termOf(member: Member): number | undefined {
  return member.quorum?.state.hard.term;
}
