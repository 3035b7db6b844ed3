/**
 * One step under way: the state so far and the effects so far. It never outlives the step, so the
 * functions that share it may write to it while the machine as a whole stays a pure function.
 */
import { invariant } from '../../../proto/model/invariant.ts';
import type { Effect, RaftEvent } from './effects.ts';
import type { Input } from './inputs.ts';
import type { MessageBody } from './messages.ts';
import type { Progress } from './progress.ts';
import type { HardState, LeaderRole, RaftState } from './state.ts';
import type { Configuration, VoterId } from './voter.ts';

export interface Turn {
  state: RaftState;
  readonly now: number;
  readonly random: number;
  readonly effects: Effect[];
}

export function beginTurn(state: RaftState, input: Input, effects: Effect[]): Turn {
  return { state, now: input.now, random: input.random, effects };
}

export function patch(turn: Turn, change: Partial<RaftState>): void {
  turn.state = { ...turn.state, ...change };
}

/** The leader's part of the state, or undefined for anybody else. */
export function leaderOf(turn: Turn): LeaderRole | undefined {
  return turn.state.role.kind === 'leader' ? turn.state.role : undefined;
}

export function patchLeader(turn: Turn, change: Partial<LeaderRole>): void {
  const role = leaderOf(turn);
  invariant(role !== undefined, 'only a leader has the state of one');
  patch(turn, { role: { ...role, ...change } });
}

export function setProgress(turn: Turn, id: VoterId, progress: Progress): void {
  const role = leaderOf(turn);
  invariant(role !== undefined, 'only a leader follows the progress of others');
  patchLeader(turn, { progress: new Map(role.progress).set(id, progress) });
}

/** The latest configuration counts, committed or not (rule B4.7). */
export function configurationOf(state: RaftState): Configuration {
  const latest = state.configurations.at(-1);
  invariant(latest !== undefined, 'a member always has a configuration, an empty one at the least');
  return latest;
}

/** The configuration in force at the commit index and those after it: all that may still decide. */
export function configurationsInPlay(state: RaftState): readonly Configuration[] {
  const { configurations, commitIndex } = state;
  const inForce = configurations.findLastIndex(({ index }) => index <= commitIndex);
  return configurations.slice(Math.max(0, inForce));
}

/** Term, vote and damage mark change together, in one durable write (rule B4.1). */
export function persistHardState(turn: Turn, hard: HardState): void {
  patch(turn, { hard });
  turn.effects.push({ kind: 'persist-hard-state', hard });
}

/** Sends after everything that this step persists is flushed. */
export function send(turn: Turn, to: VoterId, body: MessageBody): void {
  pushMessage(turn, to, { body, isBeforeFlush: false });
}

/** Sends at once: for what promises nothing about this member's disk. */
export function sendEarly(turn: Turn, to: VoterId, body: MessageBody): void {
  pushMessage(turn, to, { body, isBeforeFlush: true });
}

export function tell(turn: Turn, event: RaftEvent): void {
  turn.effects.push({ kind: 'event', event });
}

/** One to two election timeouts from this moment, by the drawn value. */
export function nextElectionAt(turn: Turn): number {
  return turn.now + Math.floor(turn.state.timing.electionMs * (1 + turn.random));
}

function pushMessage(
  turn: Turn,
  to: VoterId,
  what: { readonly body: MessageBody; readonly isBeforeFlush: boolean },
): void {
  const { self, hard } = turn.state;
  turn.effects.push({
    kind: 'send',
    message: { from: self, to, term: hard.term, body: what.body },
    isBeforeFlush: what.isBeforeFlush,
  });
}
