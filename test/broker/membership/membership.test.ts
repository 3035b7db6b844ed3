import { describe, expect, it } from 'vitest';
import {
  dueAt,
  type HeartbeatAnswer,
  initialMembership,
  type MembershipEffect,
  type MembershipState,
  stepMembership,
} from '../../../broker/membership/core/membership.ts';
import { nodeId } from '../../../proto/model/ids.ts';
import { brokerEpoch, revision, term } from '../../../proto/model/offset.ts';

const [one, two, three] = [nodeId(1), nodeId(2), nodeId(3)];
const fine: HeartbeatAnswer = {
  isActive: true,
  term: term(2),
  renewsLease: true,
  fenced: false,
  mayShutDown: false,
};

function unregistered(): MembershipState {
  return initialMembership({ controllers: [one, two, three], sessionMs: 2000, heartbeatMs: 250 });
}

function registered(): MembershipState {
  const state = unregistered();
  stepMembership(state, { kind: 'tick', nowMs: 0 });
  stepMembership(state, {
    kind: 'registered',
    from: one,
    brokerEpoch: brokerEpoch(7),
    revision: revision(7),
  });
  return state;
}

function answered(
  state: MembershipState,
  sentMs: number,
  nowMs: number,
  answer = fine,
): MembershipEffect[] {
  return stepMembership(state, { kind: 'heartbeat-answered', from: one, sentMs, nowMs, answer });
}

describe('membership of a broker', () => {
  it('asks one controller after the other until one registers it', () => {
    const state = unregistered();
    const asked = [0, 250, 500].map((nowMs) => {
      const [effect] = stepMembership(state, { kind: 'tick', nowMs });
      const at = effect?.kind === 'register' ? effect.at : undefined;
      if (at !== undefined)
        stepMembership(state, { kind: 'registration-failed', from: at, superseded: false });
      return at;
    });
    expect(asked).toEqual([one, two, three]);
  });

  it('has one registration on its way at a time', () => {
    const state = unregistered();
    stepMembership(state, { kind: 'tick', nowMs: 0 });
    expect(stepMembership(state, { kind: 'tick', nowMs: 1000 })).toEqual([]);
  });

  it('counts the lease from the sending of the heartbeat, not from its answer', () => {
    const state = registered();
    answered(state, 100, 1900);
    expect(state.isLeaseHeld).toBe(true);
    expect(stepMembership(state, { kind: 'tick', nowMs: 2099 })).not.toContainEqual({
      kind: 'lease',
      isHeld: false,
    });
    expect(stepMembership(state, { kind: 'tick', nowMs: 2100 })).toContainEqual({
      kind: 'lease',
      isHeld: false,
    });
  });

  it('has nothing to do before it is due, and something then', () => {
    const state = registered();
    stepMembership(state, { kind: 'tick', nowMs: 0 });
    answered(state, 0, 1);
    const done: string[] = [];
    while (state.isLeaseHeld) {
      const due = dueAt(state);
      expect(stepMembership(state, { kind: 'tick', nowMs: due - 1 })).toEqual([]);
      done.push(...stepMembership(state, { kind: 'tick', nowMs: due }).map(({ kind }) => kind));
    }
    expect(done).toEqual([...Array<string>(7).fill('heartbeat'), 'lease', 'heartbeat']);
  });

  it('believes the later of two controllers that call themselves active', () => {
    const state = registered();
    stepMembership(state, { kind: 'became-active', controller: two, term: term(5) });
    expect(state.active).toBe(two);
    answered(state, 100, 110);
    stepMembership(state, { kind: 'became-active', controller: three, term: term(4) });
    expect(state.active).toBe(two);
    expect(state.isLeaseHeld).toBe(false);
  });

  it('registers next where a controller says that it is active', () => {
    const state = unregistered();
    expect(stepMembership(state, { kind: 'tick', nowMs: 0 })).toEqual([
      { kind: 'register', at: one },
    ]);
    stepMembership(state, { kind: 'registration-failed', from: one, superseded: false });
    stepMembership(state, { kind: 'became-active', controller: three, term: term(2) });
    expect(stepMembership(state, { kind: 'tick', nowMs: 1_000 })).toEqual([
      { kind: 'register', at: three },
    ]);
    expect(state.active).toBeUndefined();
  });

  it('is not granted a lease by an answer that comes after the lease would have ended', () => {
    const state = registered();
    answered(state, 0, 5000);
    expect(state.isLeaseHeld).toBe(false);
  });

  it('is granted no lease by a controller that lacks a majority or is not active', () => {
    const state = registered();
    answered(state, 0, 10, { ...fine, renewsLease: false });
    answered(state, 0, 10, { ...fine, isActive: false });
    expect(state.isLeaseHeld).toBe(false);
  });

  it('judges the lease before it sends, so that a stall is noticed first', () => {
    const state = registered();
    answered(state, 0, 10);
    const effects = stepMembership(state, { kind: 'tick', nowMs: 60_000 });
    expect(effects.map((effect) => effect.kind)).toEqual(['lease', 'heartbeat']);
  });

  it('forgets the active controller when its link goes down', () => {
    const state = registered();
    expect(stepMembership(state, { kind: 'link-down', controller: one })).toEqual([
      { kind: 'active-controller', nodeId: undefined },
    ]);
    expect(stepMembership(state, { kind: 'link-down', controller: two })).toEqual([]);
  });

  it('stops only when told that its leaderships are gone, or when time is up', () => {
    const state = registered();
    stepMembership(state, { kind: 'stop' });
    expect(answered(state, 0, 1)).not.toContainEqual({ kind: 'may-stop' });
    expect(answered(state, 0, 2, { ...fine, mayShutDown: true })).toContainEqual({
      kind: 'may-stop',
    });
    const other = registered();
    stepMembership(other, { kind: 'stop' });
    expect(stepMembership(other, { kind: 'stop-deadline' })).toEqual([{ kind: 'may-stop' }]);
  });

  it('stops at once when its lease ends meanwhile: nobody is left to move its leaderships', () => {
    const state = registered();
    answered(state, 0, 1);
    stepMembership(state, { kind: 'stop' });
    expect(stepMembership(state, { kind: 'tick', nowMs: 60_000 })).toEqual([
      { kind: 'lease', isHeld: false },
      { kind: 'may-stop' },
    ]);
  });

  it('gives up everything when a later incarnation is registered', () => {
    const state = registered();
    answered(state, 0, 1);
    expect(stepMembership(state, { kind: 'superseded' })).toEqual([
      { kind: 'lease', isHeld: false },
      { kind: 'superseded' },
    ]);
    expect(stepMembership(state, { kind: 'tick', nowMs: 2 })).toEqual([]);
  });
});
