/**
 * What the active controller does by itself as time passes and facts are committed.
 *
 * The driver calls `decideUpkeep` on each tick and after each commit, replays what it returns onto its
 * undecided image, and calls again until nothing is left to do. Standbys only follow and listen, so
 * that one of them is ready when it becomes active.
 */
import type { ImageDelta } from '../../../proto/metadata/delta.ts';
import type { MetadataImage } from '../../../proto/metadata/image.ts';
import { type Decided, decided } from './decision.ts';
import type { RoundRules } from './election-round.ts';
import { decideElections } from './elections.ts';
import { fence } from './fencing.ts';
import { decideRemovals } from './intents.ts';
import {
  createMoves,
  decideBalance,
  decideDrains,
  decideMoveTimeouts,
  followMoves,
  type MovesState,
} from './moves.ts';
import {
  createRounds,
  dueRounds,
  followRounds,
  isTimeToJudge,
  type RoundsState,
} from './rounds.ts';
import { createSessions, expiredSessions, type SessionsState } from './sessions.ts';

export interface UpkeepOptions {
  readonly sessionMs: number;
  /** Grace of a broker whose connection broke. */
  readonly hintMs: number;
  /** How long a decidable round waits for better answers. */
  readonly graceMs: number;
  /** Every rule holds, unless a test breaks one. */
  readonly roundRules?: RoundRules;
  readonly movesMax: number;
  readonly moveTimeoutMs: number;
  readonly reassignmentsMax: number;
  /** How often leaderships go back to the preferred leader. */
  readonly balanceMs: number;
}

/** What a controller keeps beside the committed facts; lost with the process, and found again. */
export interface UpkeepState {
  readonly options: UpkeepOptions;
  readonly sessions: SessionsState;
  readonly rounds: RoundsState;
  readonly moves: MovesState;
  balancedMs: number;
}

export const defaultUpkeep: UpkeepOptions = {
  sessionMs: 2000,
  hintMs: 200,
  graceMs: 20,
  movesMax: 100,
  moveTimeoutMs: 2000,
  reassignmentsMax: 10,
  balanceMs: 30_000,
};

export function createUpkeep(options: UpkeepOptions): UpkeepState {
  const { sessionMs, hintMs, graceMs, roundRules, movesMax, moveTimeoutMs } = options;
  return {
    options,
    sessions: createSessions({ sessionMs, hintMs }),
    rounds: createRounds(graceMs, roundRules),
    moves: createMoves({ limit: movesMax, timeoutMs: moveTimeoutMs }),
    balancedMs: 0,
  };
}

/** Follows each change of the image that decisions are made on, and also one that is dropped. */
export function followImage(upkeep: UpkeepState, delta: ImageDelta, nowMs: number): void {
  followRounds(upkeep.rounds, delta, nowMs);
  followMoves(upkeep.moves, delta, nowMs);
}

/**
 * False if `decideUpkeep` would find nothing: what an idle cluster is asked many times a second. It looks
 * at brokers, open rounds and moves under way, and at no partition.
 */
export function isUpkeepDue(upkeep: UpkeepState, image: MetadataImage, nowMs: number): boolean {
  const { rounds, moves, sessions, options } = upkeep;
  if (rounds.open.size > 0 || moves.inFlight.size > 0 || isTimeToJudge(rounds, nowMs)) return true;
  if (nowMs >= upkeep.balancedMs + options.balanceMs) return true;
  for (const { state, intent } of image.brokers.values())
    if (state === 'stopping' || intent !== 'serve') return true;
  return expiredSessions(sessions, image).length > 0;
}

/** The next change that is due; without records or events there is none. */
export function decideUpkeep(
  upkeep: UpkeepState,
  image: MetadataImage,
  nowMs: number,
): Decided<undefined> {
  const due = [
    () => decideExpiries(upkeep, image),
    () => decideElections(upkeep.rounds, image, dueRounds(upkeep.rounds, nowMs), nowMs),
    () => decideMoveTimeouts(upkeep.moves, image, nowMs),
    () => decideDrains(upkeep.moves, image),
    () => decideRemovals(image, upkeep.options.reassignmentsMax),
    () => maybeBalance(upkeep, image, nowMs),
  ];
  for (const decide of due) {
    const decision = decide();
    if (decision.records.length > 0 || decision.events.length > 0) return decision;
  }
  return decided(undefined);
}

/** One broker at a time: the next one is judged on the image that the first one leaves. */
function decideExpiries(upkeep: UpkeepState, image: MetadataImage): Decided<undefined> {
  const [first] = expiredSessions(upkeep.sessions, image);
  if (first === undefined) return decided(undefined);
  const { broker, reason, silentMs } = first;
  const { records, event } = fence(image, broker, { reason, evidence: { silentMs } });
  return decided(undefined, records, [event]);
}

function maybeBalance(
  upkeep: UpkeepState,
  image: MetadataImage,
  nowMs: number,
): Decided<undefined> {
  if (nowMs < upkeep.balancedMs + upkeep.options.balanceMs) return decided(undefined);
  upkeep.balancedMs = nowMs;
  return decideBalance(upkeep.moves, image);
}
