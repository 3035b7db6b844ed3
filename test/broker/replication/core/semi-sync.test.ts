import { describe, expect, test } from 'vitest';
import { nodeId } from '../../../../proto/model/ids.ts';
import { partitionEpoch } from '../../../../proto/model/offset.ts';
import {
  leader,
  metadata,
  nodes,
  only,
  produce,
  replies,
  report,
  stored,
  take,
  tick,
} from './builders.ts';

/** What the controller commits next: the same partition with other sets. */
function committed(version: number, sets: Parameters<typeof metadata>[0]) {
  const facts = metadata({ partitionEpoch: partitionEpoch(version), ...sets });
  return { kind: 'metadata', metadata: facts } as const;
}

describe('semi-sync', () => {
  test('is acknowledged only once the set is committed', () => {
    const state = leader();
    const asked = only(produce(state, { acks: 'semi-sync' }), 'propose');
    expect(asked.map(({ proposal }) => proposal.semiSync)).toEqual(['open']);
    stored(state, 1);
    expect(replies(report(state, 2, 1))).toEqual([]);
    const opened = take(state, committed(2, { semiSyncMembers: nodes(1, 2, 3) }));
    expect(replies(opened)).toEqual(['1 acked']);
  });

  test('needs the leader among its k holders', () => {
    const state = leader({ semiSyncMembers: nodes(1, 2, 3) });
    produce(state, { acks: 'semi-sync' });
    report(state, 2, 1);
    expect(replies(report(state, 3, 1))).toEqual([]);
    expect(replies(stored(state, 1))).toEqual(['1 acked']);
  });

  test('does not count a member that is proposed to leave', () => {
    const state = leader({ semiSyncMembers: nodes(1, 2, 3) });
    report(state, 3, 0);
    produce(state, { acks: 'semi-sync', token: 1 });
    stored(state, 1);
    tick(state, 0, 0);
    const [proposed] = only(tick(state, 500, 6_000), 'propose');
    expect(proposed?.proposal.isr.map((member) => member.nodeId)).toEqual([1]);
    expect(replies(report(state, 2, 1))).toEqual([]);
  });

  test('settles when k of those that stay have stored what was acknowledged, not before', () => {
    const state = leader({ semiSyncMembers: nodes(1, 2, 3) });
    produce(state, { acks: 'semi-sync' });
    stored(state, 1);
    report(state, 2, 1);
    const replicas = metadata().replicas.map((replica) => ({
      ...replica,
      isEligible: replica.nodeId !== 2,
    }));
    const sets = { isr: nodes(1, 3), semiSyncMembers: nodes(1, 2, 3), replicas };
    const shrunk = take(state, committed(2, sets));
    expect(only(shrunk, 'propose')).toEqual([]);
    const [settled] = only(report(state, 3, 1), 'propose');
    expect(settled?.proposal).toMatchObject({ semiSync: 'settle', semiSyncReplicas: 2 });
  });

  test('is closed when unused, and nothing is acknowledged while that is pending', () => {
    const state = leader({ semiSyncMembers: nodes(1, 2, 3) });
    report(state, 2, 0);
    report(state, 3, 0);
    const [closing] = only(tick(state, 61_000), 'propose');
    expect(closing?.proposal.semiSync).toBe('close');
    produce(state, { acks: 'semi-sync' });
    stored(state, 1);
    expect(replies(report(state, 2, 1))).toEqual([]);
    const answer = { kind: 'rejected', partitionEpoch: partitionEpoch(1) } as const;
    const refused = take(state, { kind: 'proposal-answered', proposal: 1, answer });
    expect(replies(refused)).toEqual(['1 acked']);
  });

  test('holds its acks while a close may yet be committed', () => {
    const state = leader({ semiSyncMembers: nodes(1, 2, 3) });
    report(state, 2, 0);
    report(state, 3, 0);
    tick(state, 61_000);
    take(state, { kind: 'proposal-answered', proposal: 1, answer: { kind: 'unknown' } });
    tick(state, 62_000, 0);
    const answer = { kind: 'rejected', partitionEpoch: partitionEpoch(1) } as const;
    take(state, { kind: 'proposal-answered', proposal: 2, answer });
    produce(state, { acks: 'semi-sync' });
    stored(state, 1);
    expect(replies(report(state, 2, 1))).toEqual([]);
    const members = { semiSyncMembers: nodes(1, 2, 3) };
    expect(replies(take(state, committed(2, members)))).toEqual(['1 acked']);
  });

  test('a raised k is asked of each ack at once, and counts in elections once settled', () => {
    const state = leader({ semiSyncMembers: nodes(1, 2, 3) }, { semiSyncReplicas: 3 });
    produce(state, { acks: 'semi-sync' });
    stored(state, 1);
    expect(replies(report(state, 2, 1))).toEqual([]);
    const effects = report(state, 3, 1);
    expect(replies(effects)).toEqual(['1 acked']);
    expect(only(effects, 'propose')[0]?.proposal).toMatchObject({
      semiSync: 'settle',
      semiSyncReplicas: 3,
    });
  });

  test('a replica joins with everything that was acknowledged before its stream opened', () => {
    const state = leader({ isr: nodes(1, 2), semiSyncMembers: nodes(1, 2, 3) });
    produce(state, { acks: 'leader', count: 2 });
    produce(state, { acks: 'semi-sync', token: 2 });
    stored(state, 3);
    report(state, 2, 3);
    const opened = { stream: 2, follower: nodeId(3) } as const;
    const before = state.role.kind === 'leader' ? state.role.followers.get(nodeId(3)) : undefined;
    expect(before?.joinsAt).toBe(0);
    take(state, {
      kind: 'follower-opened',
      ...opened,
      brokerEpoch: state.metadata?.replicas[2]?.brokerEpoch ?? state.brokerEpoch,
      leaderEpoch: state.metadata?.leaderEpoch ?? state.verifiedEpoch,
      lastEpoch: undefined,
      logEnd: state.log.start,
    });
    const after = state.role.kind === 'leader' ? state.role.followers.get(nodeId(3)) : undefined;
    expect(after?.joinsAt).toBe(3);
  });
});
