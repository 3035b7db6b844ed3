/**
 * What a read may see here (rule 6.10). Any replica serves below its own watermark; what depends
 * on more is refused or waits, and never waits for something that can no longer come.
 *
 * Invariants: (1) nothing at or above the watermark is served (rule B1.10); (2) a new leader does not
 * say where the log ends until its watermark has reached the start of its epoch, so the end never
 * appears to go back (rule B1.8); (3) a history is judged only where it is below the watermark.
 */
import type { LeaderEpoch, Offset } from '../../../proto/model/offset.ts';
import { epochEnd } from './divergence.ts';
import type { PartitionState } from './state.ts';

/** A place in a history: everything below `offset`, the last of it in `epoch`. */
export interface Position {
  readonly epoch: LeaderEpoch;
  readonly offset: Offset;
}

/** A read at `offset`. */
export interface ReadRequest {
  readonly offset: Offset;
  /** Where the reader's own position is known with its epoch: checked against the history. */
  readonly position: Position | undefined;
  /** The session token: what this session has written or seen. */
  readonly token: Position | undefined;
}

/**
 * `serve`: records in [from, upTo). `wait`: nothing to serve yet; decide again when the watermark
 * moves, and answer empty (at the watermark) or NOT_CAUGHT_UP (behind it) when the wait ends.
 */
export type ReadVerdict =
  | { readonly kind: 'serve'; readonly from: Offset; readonly upTo: Offset }
  | { readonly kind: 'wait'; readonly isBehind: boolean }
  | {
      readonly kind: 'refused';
      readonly code: 'OFFSET_OUT_OF_RANGE' | 'DAMAGED_LOG' | 'SHUTTING_DOWN';
    }
  | { readonly kind: 'position-lost'; readonly divergedAt: Offset };

/** Decides one read. */
export function decideRead(state: PartitionState, request: ReadRequest): ReadVerdict {
  const { log, watermark, role } = state;
  if (role.kind === 'stopped') {
    return { kind: 'refused', code: role.why === 'stop' ? 'SHUTTING_DOWN' : 'DAMAGED_LOG' };
  }
  const lost = divergedAt(state, request.position) ?? divergedAt(state, request.token);
  if (lost !== undefined) return { kind: 'position-lost', divergedAt: lost };
  if (request.offset < log.start) return { kind: 'refused', code: 'OFFSET_OUT_OF_RANGE' };
  const isBehind = request.token !== undefined && request.token.offset > watermark;
  if (isBehind && state.rules.awaitsToken) {
    return { kind: 'wait', isBehind: true };
  }
  const upTo = state.rules.servesBelowWatermark ? watermark : log.end;
  if (request.offset < upTo) return { kind: 'serve', from: request.offset, upTo };
  if (request.offset === watermark) return { kind: 'wait', isBehind: false };
  return request.offset > log.end && knowsEnd(state, request)
    ? { kind: 'refused', code: 'OFFSET_OUT_OF_RANGE' }
    : { kind: 'wait', isBehind: true };
}

/**
 * Only a leader whose watermark has passed its epoch's start knows that nothing lies further on, and not one
 * whose lease is over, or that is told of an epoch after its own: its place is taken.
 */
function knowsEnd(state: PartitionState, { position, token }: ReadRequest): boolean {
  const { role } = state;
  if (role.kind !== 'leader' || !isSettledLeader(state) || !state.isLeaseHeld) return false;
  return [position, token].every((place) => place === undefined || place.epoch <= role.epoch);
}

/** Where reading "from the latest" begins; undefined: a new leader does not know (rule B1.8). */
export function latestOffset(state: PartitionState): Offset | undefined {
  const isUnsettled = state.role.kind === 'leader' && !isSettledLeader(state);
  if (isUnsettled && state.rules.awaitsOwnStart) return undefined;
  return state.watermark;
}

function isSettledLeader(state: PartitionState): boolean {
  return state.role.kind === 'leader' && state.watermark >= state.role.epochStart;
}

/**
 * Where the committed history ends the position's epoch below its offset: what lay between was cut.
 * Above the watermark the history may itself be cut, so it proves nothing there.
 */
function divergedAt(state: PartitionState, position: Position | undefined): Offset | undefined {
  if (position === undefined || !state.rules.checksHistory) return undefined;
  const { log, role, watermark } = state;
  const { history } = log;
  const isLater = role.kind === 'leader' || role.kind === 'follower';
  let { endOffset } = epochEnd(log, position.epoch);
  // An epoch without records still ends the one before it, where it began.
  if (isLater && role.epochStart !== undefined && role.epoch > position.epoch) {
    const last = history.at(-1);
    const isOpenEnded = last === undefined || last.epoch <= position.epoch;
    if (isOpenEnded && role.epochStart < endOffset) endOffset = role.epochStart;
    if (isOpenEnded && endOffset <= watermark && endOffset < position.offset) return endOffset;
  }
  const isClosed = history.some((entry) => entry.epoch > position.epoch);
  return isClosed && endOffset < watermark && endOffset < position.offset ? endOffset : undefined;
}
