/**
 * Bringing a member on whose next entry was trimmed: the snapshot in chunks, one on the way at a time.
 * A member that already holds a part says so, and the leader goes on from there.
 */
import { invariant } from '../../../proto/model/invariant.ts';
import type { SnapshotProgress } from './messages.ts';
import { heard, type Progress } from './progress.ts';
import { leaderOf, sendEarly, setProgress, type Turn } from './turn.ts';
import type { VoterId } from './voter.ts';

/** Sends the next chunk unless one is on the way. */
export function sendChunk(turn: Turn, id: VoterId, progress: Progress): boolean {
  const { snapshot, timing } = turn.state;
  const role = leaderOf(turn);
  invariant(snapshot !== undefined && role !== undefined, 'what was trimmed is in a snapshot');
  const isSame = progress.snapshot?.index === snapshot.index;
  if (isSame && progress.isWaiting) return false;
  const offset = isSame ? (progress.snapshot?.offset ?? 0) : 0;
  const { index, term, voters, bytes, checksum } = snapshot;
  sendEarly(turn, id, {
    kind: 'snapshot-chunk',
    head: { index, term, voters, bytes, checksum },
    offset,
    data: snapshot.data.subarray(offset, offset + timing.chunkBytes),
    round: role.round,
  });
  const under = { index, offset, sentAt: turn.now };
  setProgress(turn, id, { ...progress, isWaiting: true, snapshot: under });
  return true;
}

export function onSnapshotProgress(turn: Turn, from: VoterId, answer: SnapshotProgress): void {
  const progress = leaderOf(turn)?.progress.get(from);
  if (progress === undefined) return;
  const alive = heard(progress, { now: turn.now, round: answer.round });
  const { snapshot } = alive;
  const isAwaited = snapshot?.index === answer.index && alive.mode === 'snapshot';
  const bytes = turn.state.snapshot?.bytes ?? 0;
  if (snapshot === undefined || !isAwaited || answer.offset > bytes) {
    setProgress(turn, from, alive);
    return;
  }
  const under = { ...snapshot, offset: answer.offset };
  setProgress(turn, from, { ...alive, isWaiting: false, snapshot: under });
}
