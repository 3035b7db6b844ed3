/**
 * What a leader knows of each follower: one verified opening, then reports of that stream alone.
 *
 * Invariant (rule B1.3): an end counts only if it was reported under the present leader epoch, by the
 * stream of the incarnation whose opening agreed with this log, and is not beyond what is here.
 */
import { offset } from '../../../proto/model/offset.ts';
import { compareTail } from './divergence.ts';
import type { Effect, OpenAnswer } from './effects.ts';
import type { FollowerClosed, FollowerOpened, FollowerReported } from './inputs.ts';
import { advance } from './leader.ts';
import type { PartitionMetadata } from './metadata.ts';
import { maybePropose } from './proposals.ts';
import type { Leader, PartitionState, Progress } from './state.ts';

/** A follower opens its stream: compare its tail and start, or say where the logs part. */
export function onFollowerOpened(
  state: PartitionState,
  opened: FollowerOpened,
  effects: Effect[],
): void {
  const { follower, stream, leaderEpoch, brokerEpoch } = opened;
  const { role } = state;
  const code = refusal(state, opened);
  if (code !== undefined || role.kind !== 'leader') {
    const answer = { kind: 'refused', code: code ?? 'NOT_LEADER' } as const;
    effects.push({ kind: 'answer-open', follower, stream, leaderEpoch, answer });
    return;
  }
  const before = role.followers.get(follower);
  if (before !== undefined) {
    if (brokerEpoch < before.brokerEpoch) return;
    if (brokerEpoch === before.brokerEpoch && stream <= before.stream) return;
  }
  const answer = openAnswer(state, role, opened);
  role.followers.set(follower, {
    brokerEpoch,
    stream,
    phase: answer.kind === 'start' ? 'started' : 'diverged',
    logEnd: opened.logEnd < state.log.end ? opened.logEnd : state.log.end,
    storedEnd: undefined,
    joinsAt: role.semiSync.acknowledgedEnd,
    caughtUpMs: before?.caughtUpMs ?? role.servedMs,
    mark: before?.mark ?? state.log.end,
    markMs: before?.markMs ?? role.servedMs,
  });
  effects.push({ kind: 'answer-open', follower, stream, leaderEpoch, answer });
}

/** A follower says how far it is. The hot path: once per batch and follower, no allocation. */
export function onFollowerReported(
  state: PartitionState,
  reported: FollowerReported,
  effects: Effect[],
): void {
  const { role } = state;
  if (role.kind !== 'leader' || reported.leaderEpoch !== role.epoch) return;
  const progress = role.followers.get(reported.follower);
  if (progress === undefined) return;
  if (state.rules.countsAgreedStream && !isAgreed(progress, reported)) return;
  if (reported.logEnd > state.log.end) return; // Beyond what was sent: not a report of this log.
  if (reported.logEnd > progress.logEnd) progress.logEnd = reported.logEnd;
  const { storedEnd } = reported;
  if (storedEnd === undefined || storedEnd > reported.logEnd) return;
  if (storedEnd < role.epochStart && state.rules.countsFromEpochStart) return;
  if (storedEnd <= (progress.storedEnd ?? -1)) return;
  progress.storedEnd = storedEnd;
  advance(state, role, effects);
  maybePropose(state, role, effects);
}

/** Only the stream whose opening agreed, of the incarnation that opened it, speaks of this log. */
function isAgreed(progress: Progress, reported: FollowerReported): boolean {
  return (
    progress.phase === 'started' &&
    progress.stream === reported.stream &&
    progress.brokerEpoch === reported.brokerEpoch
  );
}

/** The stream ended. What the follower had stored is still stored, so it goes on counting. */
export function onFollowerClosed(state: PartitionState, closed: FollowerClosed): void {
  if (state.role.kind !== 'leader') return;
  const progress = state.role.followers.get(closed.follower);
  if (progress?.brokerEpoch !== closed.brokerEpoch) return;
  if (progress.stream === closed.stream) progress.phase = 'closed';
}

/**
 * Who is a replica no longer has deleted its log: what it had stored counts for nothing, should it become
 * one again. Its stream is refused, so that one which comes back sooner than this leader learns opens anew.
 *
 * Of several changes at once, as in a snapshot, only the outcome is told: whoever is a replica may have been
 * moved away and back. Only who is in sync has stayed, because this leader alone adds to that set.
 */
export function forgetFormer(
  leader: Leader,
  { replicas, isr, partitionEpoch }: PartitionMetadata,
  effects: Effect[],
): void {
  const answer = { kind: 'refused', code: 'UNKNOWN_LEADER_EPOCH' } as const;
  const hasMissed = partitionEpoch > leader.committed.partitionEpoch + 1;
  const stayed = hasMissed ? isr : replicas.map(({ nodeId }) => nodeId);
  for (const [follower, { stream }] of leader.followers) {
    if (stayed.includes(follower)) continue;
    leader.followers.delete(follower);
    effects.push({ kind: 'answer-open', follower, stream, leaderEpoch: leader.epoch, answer });
  }
}

/** Neither side acts on a stream of another epoch or of an earlier incarnation (rule B2.2). */
function refusal(
  state: PartitionState,
  opened: FollowerOpened,
): (OpenAnswer & { kind: 'refused' })['code'] | undefined {
  const { role, metadata } = state;
  const epoch = role.kind === 'leader' ? role.epoch : (metadata?.leaderEpoch ?? -1);
  if (opened.leaderEpoch < epoch) return 'FENCED_LEADER_EPOCH';
  if (opened.leaderEpoch > epoch) return 'UNKNOWN_LEADER_EPOCH';
  if (role.kind !== 'leader') return 'NOT_LEADER';
  const replica = metadata?.replicas.find(({ nodeId }) => nodeId === opened.follower);
  if (replica === undefined) return 'UNKNOWN_LEADER_EPOCH'; // Assigned by a change not yet known here.
  return opened.brokerEpoch < replica.brokerEpoch ? 'STALE_BROKER_EPOCH' : undefined;
}

function openAnswer(state: PartitionState, leader: Leader, opened: FollowerOpened): OpenAnswer {
  const { log, watermark } = state;
  const first = opened.base ?? log.start;
  // Nothing can be sent from inside a batch, so who has nothing begins where a batch does.
  const isInside =
    opened.lastEpoch === undefined && opened.logEnd > first && opened.base !== undefined;
  if (opened.logEnd < first || isInside) return { kind: 'reset', logStart: first };
  const agreement = compareTail(log, opened.lastEpoch, opened.logEnd);
  if (agreement.kind === 'diverged' && state.rules.comparesHistory) {
    const { epoch } = agreement.at;
    const endOffset =
      epoch === undefined ? (opened.base ?? agreement.at.endOffset) : agreement.at.endOffset;
    return { kind: 'diverged', epoch, endOffset };
  }
  const { epochStart } = leader;
  return { kind: 'start', from: offset(opened.logEnd), epochStart, watermark };
}
