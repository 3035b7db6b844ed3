import { describe, expect, it } from 'vitest';
import {
  createSessions,
  expiredSessions,
  heard,
  isLive,
  linkBroke,
  listen,
  takeStampTurn,
} from '../../../controller/cluster/core/sessions.ts';
import { nodeId } from '../../../proto/model/ids.ts';
import { brokerEpoch } from '../../../proto/model/offset.ts';
import { DecisionWorld } from './decision-world.ts';

function listening() {
  const world = new DecisionWorld();
  const sessions = createSessions({ sessionMs: 2000, hintMs: 200 });
  const all = () => {
    for (const id of [1, 2, 3]) heard(sessions, nodeId(id), world.broker(id).brokerEpoch);
  };
  const expired = () => expiredSessions(sessions, world.image).map((one) => one.broker.nodeId);
  all();
  return { world, sessions, all, expired };
}

describe('a session', () => {
  it('ends after the session time and its margin, not within it', () => {
    const { sessions, expired, world } = listening();
    listen(sessions, 2100);
    expect(expired()).toEqual([]);
    heard(sessions, nodeId(1), world.broker(1).brokerEpoch);
    listen(sessions, 1);
    expect(expired()).toEqual([2, 3]);
  });

  it('does not run while this controller could not listen', () => {
    const { sessions, expired } = listening();
    for (let stalls = 0; stalls < 100; stalls++) listen(sessions, 1);
    expect(expired()).toEqual([]);
  });

  it('ends soon after its connection broke, unless the broker is heard of again', () => {
    const { sessions, expired, world } = listening();
    linkBroke(sessions, nodeId(2), false);
    linkBroke(sessions, nodeId(3), false);
    listen(sessions, 199);
    expect(expired()).toEqual([]);
    heard(sessions, nodeId(3), world.broker(3).brokerEpoch);
    listen(sessions, 1);
    expect(expired()).toEqual([2]);
  });

  it('ends at once when a new connection is refused', () => {
    const { sessions, expired } = listening();
    linkBroke(sessions, nodeId(2), true);
    expect(expired()).toEqual([2]);
  });

  it('begins with the first look for a broker that a new active controller never heard of', () => {
    const { world } = listening();
    const sessions = createSessions({ sessionMs: 2000, hintMs: 200 });
    listen(sessions, 50_000);
    expect(expiredSessions(sessions, world.image)).toEqual([]);
    listen(sessions, 2101);
    expect(expiredSessions(sessions, world.image).length).toBe(3);
  });

  it('counts from a last contact as standby, which a new active controller goes on with', () => {
    const { sessions, expired } = listening();
    listen(sessions, 1500);
    expect(expired()).toEqual([]);
    listen(sessions, 601);
    expect(expired()).toEqual([1, 2, 3]);
  });

  it('of an earlier incarnation neither lives nor keeps a later one alive', () => {
    const { sessions, expired, world } = listening();
    const old = world.broker(2).brokerEpoch;
    world.restart(2, 2);
    expect(isLive(sessions, world.broker(2))).toBe(false);
    heard(sessions, nodeId(2), world.broker(2).brokerEpoch);
    listen(sessions, 2101);
    heard(sessions, nodeId(2), old);
    expect(expired()).toContain(2);
    heard(sessions, nodeId(2), brokerEpoch(old));
    expect(isLive(sessions, world.broker(2))).toBe(false);
  });

  it('of a fenced broker is nobody’s business', () => {
    const { sessions, expired, world } = listening();
    world.commit(world.register(2, 2));
    listen(sessions, 5000);
    expect(expired()).toEqual([1, 3]);
  });

  it('gives a storage stamp once a minute', () => {
    const { sessions } = listening();
    listen(sessions, 59_999);
    expect(takeStampTurn(sessions, nodeId(1))).toBe(false);
    listen(sessions, 1);
    expect([takeStampTurn(sessions, nodeId(1)), takeStampTurn(sessions, nodeId(1))]).toEqual([
      true,
      false,
    ]);
  });
});

describe('upkeep', () => {
  it('fences the brokers whose sessions ended, one change each, with the evidence', () => {
    const world = new DecisionWorld();
    world.createTopic('orders', { assignment: [[nodeId(1), nodeId(2), nodeId(3)]] });
    world.settle();
    listen(world.upkeep.sessions, 3000);
    heard(world.upkeep.sessions, nodeId(3), world.broker(3).brokerEpoch);
    expect(world.settle()).toBe(2);
    expect(world.partition('orders')).toMatchObject({ leader: undefined, isr: [3], elr: [2] });
    const fenced = world.events.filter(({ kind }) => kind === 'broker-fenced');
    expect(fenced.map(({ subject }) => subject)).toEqual(['broker 1', 'broker 2']);
    expect(fenced[0]).toMatchObject({
      reason: 'its session ended',
      evidence: { silentMs: 3000, leaderships: 1, inSync: 1 },
    });
  });
});
