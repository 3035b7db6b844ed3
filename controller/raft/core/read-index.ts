/**
 * Linearizable reads without the log and without a clock (rule B4.14): the leader notes how far it has
 * committed, then asks a majority whether it still leads, in a round that begins after the request.
 *
 * Invariant: a read is released only by answers to a round begun after it arrived, and only once the
 * leader has committed in its own term; before that it may not know what is committed.
 */
import type { RequestId } from './inputs.ts';
import type { LeaderRole, PendingRead } from './state.ts';
import { configurationOf, leaderOf, patchLeader, type Turn } from './turn.ts';
import { majorityReached } from './voter.ts';

export function onRead(turn: Turn, id: RequestId): void {
  const role = leaderOf(turn);
  if (role === undefined) {
    const reason = 'this node does not lead';
    turn.effects.push({ kind: 'rejected', id, code: 'NOT_CONTROLLER', reason });
    return;
  }
  patchLeader(turn, { reads: [...role.reads, { id, asked: undefined }] });
  releaseReads(turn);
}

/** Begins a round for reads that have none, and serves those whose round a majority has answered. */
export function releaseReads(turn: Turn): void {
  askForReads(turn);
  const role = leaderOf(turn);
  if (role === undefined || role.reads.length === 0) return;
  const answered = answeredRound(turn, role);
  const isReady = ({ asked }: PendingRead) => asked !== undefined && asked.round <= answered;
  for (const { id, asked } of role.reads.filter(isReady)) {
    if (asked === undefined) continue;
    turn.effects.push({ kind: 'read-ready', ids: [id], index: asked.index });
  }
  if (role.reads.some(isReady)) {
    patchLeader(turn, { reads: role.reads.filter((read) => !isReady(read)) });
  }
}

function askForReads(turn: Turn): void {
  const role = leaderOf(turn);
  const { commitIndex, rules } = turn.state;
  if (role === undefined || role.reads.every(({ asked }) => asked !== undefined)) return;
  if (rules.asksForReads && commitIndex < role.termStart) return;
  const round = rules.asksForReads ? role.round + 1 : 0;
  patchLeader(turn, {
    round: Math.max(round, role.round),
    isBroadcastDue: true,
    reads: role.reads.map(({ id, asked }) => ({
      id,
      asked: asked ?? { round, index: commitIndex },
    })),
  });
}

/** The latest round that a majority of the voters has answered; the leader answers itself at once. */
function answeredRound(turn: Turn, role: LeaderRole): number {
  const answered = majorityReached(configurationOf(turn.state), (id) =>
    id === turn.state.self ? role.round : (role.progress.get(id)?.ackedRound ?? 0),
  );
  return answered ?? 0;
}
