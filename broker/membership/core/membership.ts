/**
 * A broker's life in its cluster, as its own side sees it: unregistered → registered → stopping.
 *
 * Invariants:
 * - heartbeats go to every controller, so that a new active one has heard of this broker before it is
 *   elected (rule 6.8);
 * - the lease runs from the *sending* of the last heartbeat that an active controller acknowledged
 *   while it had a majority (rule 6.7): whatever the answer's delay, it ends no later here than the
 *   session does there;
 * - the broker epoch of this incarnation is taken once and never changes; a controller that knows a
 *   later incarnation ends this process (rule B3.9).
 */
import type { NodeId } from '../../../proto/model/ids.ts';
import { type BrokerEpoch, type Revision, type Term, term } from '../../../proto/model/offset.ts';
import { everyMembershipRule, type MembershipRules } from './rules.ts';

export interface MembershipState {
  /** Every controller that may answer; follows the voters. */
  controllers: readonly NodeId[];
  readonly sessionMs: number;
  readonly heartbeatMs: number;
  phase: 'unregistered' | 'registered' | 'stopping' | 'stopped' | 'superseded';
  /** Granted at registration; the same until the process ends. */
  brokerEpoch: BrokerEpoch | undefined;
  /** Metadata up to here is applied before anything is replicated. */
  registrationRevision: Revision | undefined;
  /** Who said last that it is the active controller. */
  active: NodeId | undefined;
  /** The highest in which a controller said so: of two that do, the one of the earlier term is over. */
  term: Term;
  /** A registration is on its way to this controller. */
  registeringAt: NodeId | undefined;
  /** Round-robin over the controllers while no active one is known. */
  nextController: number;
  nextHeartbeatMs: number;
  /** Monotonic time at which the lease ends; 0 before the first grant. */
  leaseUntilMs: number;
  isLeaseHeld: boolean;
  isFenced: boolean;
  readonly rules: MembershipRules;
}

export type MembershipInput =
  | { readonly kind: 'tick'; readonly nowMs: number }
  | {
      readonly kind: 'registered';
      readonly from: NodeId;
      readonly brokerEpoch: BrokerEpoch;
      readonly revision: Revision;
    }
  | { readonly kind: 'registration-failed'; readonly from: NodeId; readonly superseded: boolean }
  | {
      readonly kind: 'heartbeat-answered';
      readonly from: NodeId;
      /** When the heartbeat left, by the same clock as `nowMs`. */
      readonly sentMs: number;
      readonly nowMs: number;
      readonly answer: HeartbeatAnswer;
    }
  | { readonly kind: 'superseded' }
  | { readonly kind: 'controllers'; readonly nodeIds: readonly NodeId[] }
  | { readonly kind: 'became-active'; readonly controller: NodeId; readonly term: Term }
  | { readonly kind: 'link-down'; readonly controller: NodeId }
  | { readonly kind: 'stop' }
  | { readonly kind: 'stop-deadline' };

export interface HeartbeatAnswer {
  readonly isActive: boolean;
  readonly term: Term;
  readonly renewsLease: boolean;
  readonly fenced: boolean;
  readonly mayShutDown: boolean;
}

export type MembershipEffect =
  | { readonly kind: 'register'; readonly at: NodeId }
  | { readonly kind: 'heartbeat'; readonly wantsShutdown: boolean }
  | { readonly kind: 'lease'; readonly isHeld: boolean }
  | { readonly kind: 'fenced'; readonly isFenced: boolean }
  | { readonly kind: 'registered'; readonly brokerEpoch: BrokerEpoch; readonly revision: Revision }
  | { readonly kind: 'active-controller'; readonly nodeId: NodeId | undefined }
  | { readonly kind: 'may-stop' }
  | { readonly kind: 'superseded' };

/** A broker that has just started. */
export function initialMembership(options: {
  readonly controllers: readonly NodeId[];
  readonly sessionMs: number;
  readonly heartbeatMs: number;
  /** Every rule holds, unless a test breaks one. */
  readonly rules?: MembershipRules;
}): MembershipState {
  return {
    ...options,
    phase: 'unregistered',
    brokerEpoch: undefined,
    registrationRevision: undefined,
    active: undefined,
    term: term(0),
    registeringAt: undefined,
    nextController: 0,
    nextHeartbeatMs: 0,
    leaseUntilMs: 0,
    isLeaseHeld: false,
    isFenced: true,
    rules: options.rules ?? everyMembershipRule,
  };
}

/** Folds one input into the state and says what to do. */
export function stepMembership(state: MembershipState, input: MembershipInput): MembershipEffect[] {
  if (state.phase === 'stopped' || state.phase === 'superseded') return [];
  switch (input.kind) {
    case 'tick':
      return tick(state, input.nowMs);
    case 'registered':
      return registered(state, input);
    case 'registration-failed':
      return registrationFailed(state, input.from, input.superseded);
    case 'heartbeat-answered':
      return heartbeatAnswered(state, input);
    case 'superseded':
      return supersede(state);
    case 'controllers':
      state.controllers = input.nodeIds;
      return [];
    case 'became-active':
      return becameActive(state, input.controller, input.term);
    case 'link-down':
      return linkDown(state, input.controller);
    case 'stop':
      return stop(state);
    case 'stop-deadline':
      state.phase = 'stopped';
      return [{ kind: 'may-stop' }];
  }
}

/** When the next tick has something to do, if nothing happens before. */
export function dueAt(state: MembershipState): number {
  return state.isLeaseHeld
    ? Math.min(state.nextHeartbeatMs, state.leaseUntilMs)
    : state.nextHeartbeatMs;
}

/**
 * The lease is judged before anything else: after a stall this is the first thing that happens, and
 * what is queued behind it meets a broker that knows it lost touch (rule B3.14).
 */
function tick(state: MembershipState, nowMs: number): MembershipEffect[] {
  const effects = state.rules.judgesLeaseFirst ? judgeLease(state, nowMs) : [];
  if (nowMs < state.nextHeartbeatMs || state.phase === 'stopped') return effects;
  // Everything that needs the controllers waits until it is known who is active.
  const pauseMs = state.active === undefined ? searchMs : state.heartbeatMs;
  state.nextHeartbeatMs = nowMs + Math.min(pauseMs, state.heartbeatMs);
  if (state.phase === 'unregistered') effects.push(...askForRegistration(state));
  else effects.push({ kind: 'heartbeat', wantsShutdown: state.phase === 'stopping' });
  return effects;
}

/** Between heartbeats while no active controller is known. */
const searchMs = 50;

function judgeLease(state: MembershipState, nowMs: number): MembershipEffect[] {
  const isHeld = nowMs < state.leaseUntilMs;
  if (isHeld === state.isLeaseHeld) return [];
  state.isLeaseHeld = isHeld;
  const lease: MembershipEffect = { kind: 'lease', isHeld };
  if (isHeld || state.phase !== 'stopping') return [lease];
  // Nobody is left who could move its leaderships: a whole cluster that stops does not wait for itself.
  state.phase = 'stopped';
  return [lease, { kind: 'may-stop' }];
}

/** One registration at a time, at the active controller if one is known, else at each in turn. */
function askForRegistration(state: MembershipState): MembershipEffect[] {
  if (state.registeringAt !== undefined) return [];
  const at = state.active ?? state.controllers[state.nextController % state.controllers.length];
  if (at === undefined) return [];
  state.nextController++;
  state.registeringAt = at;
  return [{ kind: 'register', at }];
}

function registered(
  state: MembershipState,
  input: Extract<MembershipInput, { kind: 'registered' }>,
): MembershipEffect[] {
  state.registeringAt = undefined;
  if (state.phase !== 'unregistered' && state.rules.keepsEpoch) return [];
  state.phase = 'registered';
  state.brokerEpoch = input.brokerEpoch;
  state.registrationRevision = input.revision;
  state.nextHeartbeatMs = 0;
  const effects: MembershipEffect[] = [
    { kind: 'registered', brokerEpoch: input.brokerEpoch, revision: input.revision },
  ];
  return [...effects, ...learnActive(state, input.from)];
}

function registrationFailed(
  state: MembershipState,
  from: NodeId,
  superseded: boolean,
): MembershipEffect[] {
  if (state.registeringAt === from) state.registeringAt = undefined;
  if (superseded) return supersede(state);
  return state.active === from ? learnActive(state, undefined) : [];
}

function heartbeatAnswered(
  state: MembershipState,
  input: Extract<MembershipInput, { kind: 'heartbeat-answered' }>,
): MembershipEffect[] {
  const { answer, from } = input;
  const { rules } = state;
  const isActive = answer.isActive && (answer.term >= state.term || !rules.followsLatestTerm);
  if (!isActive) return state.active === from ? learnActive(state, undefined) : [];
  state.term = answer.term;
  const effects = learnActive(state, from);
  if (answer.renewsLease || !rules.needsMajority) {
    const fromMs = rules.leaseFromSending ? input.sentMs : input.nowMs;
    state.leaseUntilMs = Math.max(state.leaseUntilMs, fromMs + state.sessionMs);
  }
  effects.push(...judgeLease(state, input.nowMs));
  if (answer.fenced !== state.isFenced) {
    state.isFenced = answer.fenced;
    effects.push({ kind: 'fenced', isFenced: answer.fenced });
  }
  if (state.phase === 'stopping' && answer.mayShutDown) {
    state.phase = 'stopped';
    effects.push({ kind: 'may-stop' });
  }
  return effects;
}

/** Tells where to go, and grants nothing: the lease waits for the answer to a heartbeat. */
function becameActive(state: MembershipState, controller: NodeId, term: Term): MembershipEffect[] {
  if (term < state.term) return [];
  if (state.phase === 'unregistered') {
    // It is the next to be asked; whether it is the active one, its answer will tell.
    state.nextController = Math.max(0, state.controllers.indexOf(controller));
    return [];
  }
  state.term = term;
  return learnActive(state, controller);
}

function learnActive(state: MembershipState, nodeId: NodeId | undefined): MembershipEffect[] {
  if (state.active === nodeId) return [];
  state.active = nodeId;
  if (nodeId === undefined) state.nextHeartbeatMs = 0;
  return [{ kind: 'active-controller', nodeId }];
}

function linkDown(state: MembershipState, controller: NodeId): MembershipEffect[] {
  if (state.registeringAt === controller) state.registeringAt = undefined;
  return state.active === controller ? learnActive(state, undefined) : [];
}

function supersede(state: MembershipState): MembershipEffect[] {
  state.phase = 'superseded';
  state.isLeaseHeld = false;
  return [{ kind: 'lease', isHeld: false }, { kind: 'superseded' }];
}

/** An orderly stop asks for the leaderships to be moved first; an unregistered broker has none. */
function stop(state: MembershipState): MembershipEffect[] {
  if (state.phase === 'unregistered') {
    state.phase = 'stopped';
    return [{ kind: 'may-stop' }];
  }
  state.phase = 'stopping';
  return [{ kind: 'heartbeat', wantsShutdown: true }];
}
