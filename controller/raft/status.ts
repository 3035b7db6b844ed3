/** The state of a quorum member as the rest of the controller sees it. */
import type { NodeId } from '../../proto/model/ids.ts';
import type { LogIndex, Term } from '../../proto/model/offset.ts';
import { quorumHeardAt } from './core/leader.ts';
import type { RaftState } from './core/state.ts';
import { configurationOf } from './core/turn.ts';
import { nodeIdOf, type Voter, type VoterId } from './core/voter.ts';

export interface QuorumStatus {
  readonly role: 'follower' | 'pre-candidate' | 'candidate' | 'leader';
  readonly term: Term;
  /** The leader as far as it is known here. */
  readonly leader: NodeId | undefined;
  readonly voters: readonly Voter[];
  /** For a leader: a voter to be, while it catches up. */
  readonly learner: Voter | undefined;
  readonly commitIndex: LogIndex;
  readonly appliedIndex: LogIndex;
  /** True once the leader has committed in its own term: what it decides rests on all that came before. */
  readonly isActive: boolean;
  /** For a leader: the latest monotonic time by which a majority had been heard (rule 6.7). */
  readonly quorumHeardAt: number | undefined;
  /** For a leader: how far each of the others has flushed. */
  readonly progress: ReadonlyMap<VoterId, LogIndex>;
  readonly isDamaged: boolean;
}

export function statusOf(state: RaftState, now: number, appliedIndex: LogIndex): QuorumStatus {
  const { role, hard, leader, commitIndex } = state;
  const isLeader = role.kind === 'leader';
  return {
    role: role.kind,
    term: hard.term,
    leader: leader === undefined ? undefined : nodeIdOf(leader),
    voters: configurationOf(state).voters,
    learner: learnerOf(state),
    commitIndex,
    appliedIndex,
    isActive: isActive(state, appliedIndex),
    quorumHeardAt: isLeader ? quorumHeardAt(state, role, now) : undefined,
    progress: new Map(
      isLeader ? [...role.progress].map(([id, { match }]) => [id, match] as const) : [],
    ),
    isDamaged: hard.damage !== undefined,
  };
}

/** True once the leader has applied what it committed in its own term. */
export function isActive({ role }: RaftState, appliedIndex: LogIndex): boolean {
  return role.kind === 'leader' && appliedIndex >= role.termStart;
}

/** Everybody that a member may have to speak to: voters of all its configurations, and a learner. */
export function reachableVoters({ configurations, role }: RaftState): readonly Voter[] {
  const voters = new Map<VoterId, Voter>();
  for (const configuration of configurations) {
    for (const voter of configuration.voters) voters.set(voter.id, voter);
  }
  const change = role.kind === 'leader' ? role.change?.change : undefined;
  if (change?.kind === 'add') voters.set(change.voter.id, change.voter);
  return [...voters.values()];
}

/** Once its configuration is appended it is among the voters, and no learner. */
function learnerOf({ role }: RaftState): Voter | undefined {
  const pending = role.kind === 'leader' ? role.change : undefined;
  if (pending?.change.kind !== 'add' || pending.index !== undefined) return undefined;
  return pending.change.voter;
}

/** The change of voters that a leader makes, to be compared with that of another moment. */
export function changeOf(role: RaftState['role']): unknown {
  return role.kind === 'leader' ? role.change : undefined;
}
