/**
 * What a leader knows of one member that it replicates to.
 *
 * `probe`: where the logs part is not known; one message at a time. `stream`: messages follow each
 * other within a bound of bytes. `snapshot`: the log no longer reaches back; one chunk at a time.
 *
 * Invariant: 0 <= match < next. `match` is told by the member itself in this term on this stream, so
 * a lost stream begins again from nothing: the member may come back with less than it had.
 */
import { type LogIndex, logIndex } from '../../../proto/model/offset.ts';
import type { LogPosition } from './entry.ts';
import type { AppendAccepted, AppendRejected } from './messages.ts';

export interface Progress {
  readonly mode: 'probe' | 'stream' | 'snapshot';
  /** The member has flushed all up to here. */
  readonly match: LogIndex;
  /** The next entry to send. */
  readonly next: LogIndex;
  /** A probe or a chunk is on the way: the next one waits for its answer or for the heartbeat. */
  readonly isWaiting: boolean;
  /** Sent and not answered; oldest first. */
  readonly inFlight: readonly { readonly last: LogIndex; readonly bytes: number }[];
  readonly inFlightBytes: number;
  /** When anything of this term was last heard of it. */
  readonly heardAt: number;
  /** The greatest round that it has answered. */
  readonly ackedRound: number;
  /** How much of the snapshot it has, in mode `snapshot`. */
  readonly snapshot:
    | { readonly index: LogIndex; readonly offset: number; readonly sentAt: number }
    | undefined;
}

export function startProgress(next: LogIndex, now: number): Progress {
  return {
    mode: 'probe',
    match: logIndex(0),
    next,
    isWaiting: false,
    inFlight: [],
    inFlightBytes: 0,
    heardAt: now,
    ackedRound: 0,
    snapshot: undefined,
  };
}

/** The member answered at all: it lives and takes this leader for the leader. */
export function heard(
  progress: Progress,
  answer: { readonly now: number; readonly round: number },
): Progress {
  return {
    ...progress,
    heardAt: answer.now,
    ackedRound: Math.max(progress.ackedRound, answer.round),
  };
}

/** Its log agrees up to `matchIndex`. Late answers only confirm what is known. */
export function accepted(progress: Progress, { matchIndex }: AppendAccepted): Progress {
  const match = logIndex(Math.max(progress.match, matchIndex));
  if (progress.mode === 'snapshot') return { ...progress, match };
  const inFlight = progress.inFlight.filter(({ last }) => last > match);
  return {
    ...progress,
    mode: 'stream',
    match,
    next: logIndex(Math.max(progress.next, match + 1)),
    isWaiting: false,
    inFlight,
    inFlightBytes: inFlight.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/**
 * Its log is another one at `rejectedIndex`: goes back, unless the answer is to an older message. A
 * member that refuses what it had agreed to, in answer to something newer than all it has answered,
 * lost it (its power failed before this leader saw the stream end): it begins again from nothing.
 */
export function rejected(
  progress: Progress,
  answer: AppendRejected,
  agreement: LogPosition,
): Progress {
  const { rejectedIndex, round } = answer;
  const isOfOlderProbe = progress.mode === 'probe' && rejectedIndex !== progress.next - 1;
  const isTakenBack = rejectedIndex <= progress.match;
  const isStale = isOfOlderProbe || (isTakenBack && round <= progress.ackedRound);
  if (isStale || progress.mode === 'snapshot') return progress;
  const match = isTakenBack ? logIndex(0) : progress.match;
  const next = Math.max(Math.min(agreement.index + 1, rejectedIndex), match + 1);
  return restarted({ ...progress, match, next: logIndex(next) });
}

/** The stream ended: nothing on the way arrives, and what it had is to be asked again. */
export function lostStream(progress: Progress): Progress {
  return restarted({ ...progress, match: logIndex(0) });
}

/** Entries up to `last` were sent. */
export function sent(
  progress: Progress,
  batch: { readonly last: LogIndex; readonly bytes: number },
): Progress {
  if (progress.mode === 'probe') return { ...progress, isWaiting: true };
  return {
    ...progress,
    next: logIndex(batch.last + 1),
    inFlight: [...progress.inFlight, batch],
    inFlightBytes: progress.inFlightBytes + batch.bytes,
  };
}

function restarted(progress: Progress): Progress {
  return {
    ...progress,
    mode: 'probe',
    isWaiting: false,
    inFlight: [],
    inFlightBytes: 0,
    snapshot: undefined,
  };
}
