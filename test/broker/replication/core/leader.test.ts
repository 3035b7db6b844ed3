import { describe, expect, test } from 'vitest';
import { needsTicks } from '../../../../broker/replication/core/leader.ts';
import { everyRule } from '../../../../broker/replication/core/rules.ts';
import { nodeId } from '../../../../proto/model/ids.ts';
import {
  brokerEpoch,
  leaderEpoch,
  offset,
  partitionEpoch,
} from '../../../../proto/model/offset.ts';
import {
  leader,
  metadata,
  nodes,
  only,
  open,
  produce,
  replica,
  replies,
  report,
  stored,
  take,
  tick,
} from './builders.ts';

const promise = metadata({
  leader: undefined,
  leaderEpoch: leaderEpoch(2),
  partitionEpoch: partitionEpoch(2),
});

describe('watermark', () => {
  test('moves to the smallest stored end of the maximal ISR', () => {
    const state = leader();
    produce(state, { count: 3 });
    stored(state, 3);
    report(state, 2, 3);
    expect(state.watermark).toBe(0);
    report(state, 3, 2);
    expect(state.watermark).toBe(2);
  });

  test('rests while the committed ISR is below the minimum', () => {
    const state = leader({ isr: nodes(1) });
    produce(state, { acks: 'leader' });
    stored(state, 1);
    expect(state.watermark).toBe(0);
  });

  test('waits for a proposed member until the proposal is refused for certain', () => {
    const state = leader({ isr: nodes(1, 2) });
    const [proposed] = only(report(state, 3, 0), 'propose');
    expect(proposed?.proposal.isr.map((member) => member.nodeId)).toEqual([1, 2, 3]);
    produce(state);
    stored(state, 1);
    report(state, 2, 1);
    expect(state.watermark).toBe(0);
    const answer = { kind: 'rejected', partitionEpoch: partitionEpoch(1) } as const;
    take(state, { kind: 'proposal-answered', proposal: 1, answer });
    expect(state.watermark).toBe(1);
  });

  test('keeps waiting for the union where the outcome is unknown and the retry is refused', () => {
    const state = leader({ isr: nodes(1, 2) });
    report(state, 3, 0);
    take(state, { kind: 'proposal-answered', proposal: 1, answer: { kind: 'unknown' } });
    produce(state);
    stored(state, 1);
    report(state, 2, 1);
    const again = only(tick(state, 1_000, 0), 'propose');
    expect(again.map(({ proposal }) => proposal.proposal)).toEqual([2]);
    const answer = { kind: 'rejected', partitionEpoch: partitionEpoch(1) } as const;
    const reaffirmed = take(state, { kind: 'proposal-answered', proposal: 2, answer });
    expect(only(reaffirmed, 'propose')[0]?.proposal.isr.length).toBe(2);
    expect(state.watermark).toBe(0);
    const isr = nodes(1, 2);
    take(state, {
      kind: 'metadata',
      metadata: metadata({ isr, partitionEpoch: partitionEpoch(2) }),
    });
    expect(state.watermark).toBe(1);
  });

  test('counts no report of another stream, epoch, or beyond the log', () => {
    const state = leader();
    produce(state);
    stored(state, 1);
    report(state, 2, 1);
    report(state, 3, 2);
    open(state, 3, 2);
    report(state, 3, 1);
    expect(state.watermark).toBe(0);
  });

  test('does not count the leader itself before its verified epoch is durable', () => {
    const state = replica(2);
    take(state, { kind: 'metadata', metadata: metadata({ isr: nodes(1, 2) }) });
    open(state, 2);
    report(state, 2, 2);
    expect(state.watermark).toBe(0);
    take(state, { kind: 'verified-epoch-persisted', epoch: leaderEpoch(1) });
    expect(state.watermark).toBe(2);
  });
});

describe('waiting requests', () => {
  test('none is answered at once, leader when stored, all at the watermark', () => {
    const state = leader();
    expect(replies(produce(state, { token: 1, acks: 'none' }))).toEqual(['1 acked']);
    produce(state, { token: 2, acks: 'leader' });
    produce(state, { token: 3, acks: 'all' });
    expect(replies(stored(state, 3))).toEqual(['2 acked']);
    report(state, 2, 3);
    expect(replies(report(state, 3, 3))).toEqual(['3 acked']);
  });

  test('at step-down everything is answered as maybe written', () => {
    const state = leader();
    produce(state, { token: 1, acks: 'leader' });
    produce(state, { token: 2, acks: 'all' });
    expect(replies(take(state, { kind: 'metadata', metadata: promise }))).toEqual([
      '1 LEADERSHIP_LOST maybe-written',
      '2 LEADERSHIP_LOST maybe-written',
    ]);
  });

  test('without that rule they would never be answered', () => {
    const rules = { ...everyRule, failsWaitersAtStepDown: false };
    const state = replica(0, { rules });
    take(state, { kind: 'metadata', metadata: metadata() });
    produce(state, { acks: 'leader' });
    expect(replies(take(state, { kind: 'metadata', metadata: promise }))).toEqual([]);
  });

  test('time out as maybe written, each level with its own code', () => {
    const state = leader();
    produce(state, { token: 1, acks: 'all' });
    produce(state, { token: 2, acks: 'semi-sync' });
    expect(replies(tick(state, 1_000, 0))).toEqual(['2 SEMI_SYNC_TIMEOUT maybe-written']);
    expect(replies(tick(state, 30_000, 0))).toEqual(['1 ACK_TIMEOUT maybe-written']);
  });

  test('semi-sync degrades where the topic allows it, says so, and recovers', () => {
    const state = leader({ semiSyncMembers: nodes(1, 2, 3) }, { semiSyncOnTimeout: 'degrade' });
    produce(state, { token: 1, acks: 'semi-sync' });
    stored(state, 1);
    expect(replies(tick(state, 1_000, 0))).toEqual(['1 acked degraded']);
    produce(state, { token: 2, acks: 'semi-sync' });
    expect(replies(stored(state, 2))).toEqual(['2 acked degraded']);
    report(state, 2, 2);
    produce(state, { token: 3, acks: 'semi-sync' });
    expect(replies(stored(state, 3))).toEqual([]);
    expect(replies(report(state, 2, 3))).toEqual(['3 acked']);
  });

  test('leader writes fail when the lease runs out, and are refused without it', () => {
    const state = leader();
    produce(state, { token: 1, acks: 'leader' });
    const lost = take(state, { kind: 'lease', isHeld: false });
    expect(replies(lost)).toEqual(['1 LEASE_LOST maybe-written']);
    expect(replies(produce(state, { token: 2, acks: 'none' }))).toEqual([
      '2 LEASE_LOST not-written',
    ]);
    produce(state, { token: 3, acks: 'all' });
    expect(state.log.end).toBe(2);
  });
});

describe('refusals before the append', () => {
  test.each([
    [{ acks: 'all' } as const, 'NOT_ENOUGH_REPLICAS'],
    [{ acks: 'none', expectedOffset: offset(9) } as const, 'OFFSET_MISMATCH'],
    [{ acks: 'none', isDiskFull: true } as const, 'DISK_FULL'],
    [
      { acks: 'none', verdict: { kind: 'refused', code: 'PRODUCER_FENCED' } } as const,
      'PRODUCER_FENCED',
    ],
  ])('%o is %s, and nothing is appended', (over, code) => {
    const state = leader({ isr: nodes(1) });
    expect(replies(produce(state, over))).toEqual([`1 ${code} not-written`]);
    expect(state.log.end).toBe(0);
  });

  test('k = 0 refuses semi-sync', () => {
    const state = leader({}, { semiSyncReplicas: 0 });
    expect(replies(produce(state, { acks: 'semi-sync' }))).toEqual(['1 SEMI_SYNC_OFF not-written']);
  });

  test('a duplicate is answered with its first offset, after the level is reached', () => {
    const state = leader();
    produce(state, { token: 1 });
    const verdict = { kind: 'duplicate', baseOffset: offset(0), endOffset: offset(1) } as const;
    expect(replies(produce(state, { token: 2, verdict, isDiskFull: true }))).toEqual([]);
    expect(state.log.end).toBe(1);
    stored(state, 1);
    report(state, 2, 1);
    const [first, second] = only(report(state, 3, 1), 'reply');
    expect(first).toMatchObject({ token: 1, result: { receipt: { isDuplicate: false } } });
    expect(second).toMatchObject({
      token: 2,
      result: { receipt: { baseOffset: 0, storedBy: [1, 2, 3], isDuplicate: true } },
    });
  });
});

describe('lag', () => {
  test('a follower that stays behind for the lag time is proposed to leave', () => {
    const state = leader();
    report(state, 2, 0);
    report(state, 3, 0);
    tick(state, 0, 0);
    produce(state);
    stored(state, 1);
    report(state, 2, 1);
    expect(only(tick(state, 4_000, 4_000), 'propose')).toEqual([]);
    const [proposed] = only(tick(state, 6_000, 2_000), 'propose');
    expect(proposed?.proposal.isr.map((member) => member.nodeId)).toEqual([1, 2]);
  });

  test('a follower that hangs below the minimum does not join again, though the watermark rests', () => {
    const state = leader({}, { minInsyncReplicas: 3 });
    report(state, 2, 0);
    report(state, 3, 0);
    tick(state, 0, 0);
    produce(state);
    stored(state, 1);
    report(state, 2, 1);
    tick(state, 4_000, 4_000);
    expect(only(tick(state, 6_000, 2_000), 'propose')).toHaveLength(1);
    const shrunk = metadata(
      { isr: nodes(1, 2), partitionEpoch: partitionEpoch(2) },
      { minInsyncReplicas: 3 },
    );
    expect(only(take(state, { kind: 'metadata', metadata: shrunk }), 'propose')).toEqual([]);
    expect(only(tick(state, 7_000, 1_000), 'propose')).toEqual([]);
    const [joined] = only(report(state, 3, 1), 'propose');
    expect(joined?.proposal.isr.map((member) => member.nodeId)).toEqual([1, 2, 3]);
  });

  test('time in which the leader could not serve does not count', () => {
    const state = leader();
    produce(state);
    stored(state, 1);
    expect(only(tick(state, 60_000, 10), 'propose')).toEqual([]);
  });

  test('a follower without a stream is proposed to leave, though nothing is written', () => {
    const state = leader();
    report(state, 2, 0);
    report(state, 3, 0);
    tick(state, 0, 0);
    take(state, {
      ...{ kind: 'follower-closed', follower: nodeId(3) },
      ...{ brokerEpoch: brokerEpoch(3), stream: 1 },
    });
    expect(needsTicks(state)).toBe(true);
    expect(only(tick(state, 4_000, 4_000), 'propose')).toEqual([]);
    const [proposed] = only(tick(state, 6_000, 2_000), 'propose');
    expect(proposed?.proposal.isr.map((member) => member.nodeId)).toEqual([1, 2]);
  });

  test('a follower that opens a stream again in time stays', () => {
    const state = leader();
    report(state, 2, 0);
    report(state, 3, 0);
    tick(state, 0, 0);
    take(state, {
      ...{ kind: 'follower-closed', follower: nodeId(3) },
      ...{ brokerEpoch: brokerEpoch(3), stream: 1 },
    });
    tick(state, 4_000, 4_000);
    open(state, 3, 2);
    report(state, 3, 0, 2);
    expect(only(tick(state, 6_000, 2_000), 'propose')).toEqual([]);
    expect(needsTicks(state)).toBe(false);
  });

  test('an idle partition needs no ticks', () => {
    const state = leader();
    report(state, 2, 0);
    report(state, 3, 0);
    expect(needsTicks(state)).toBe(false);
    produce(state);
    expect(needsTicks(state)).toBe(true);
  });
});

test('a hand-over holds appends and is ready once the successor has stored everything', () => {
  const state = leader();
  produce(state, { token: 1 });
  stored(state, 1);
  take(state, { kind: 'hand-over', successor: nodeId(2), deadlineMs: 500 });
  expect(replies(produce(state, { token: 2 }))).toEqual(['2 LEADER_NOT_AVAILABLE not-written']);
  expect(only(report(state, 2, 1), 'hand-over-ready')).toHaveLength(1);
  tick(state, 500, 0);
  expect(only(produce(state, { token: 3 }), 'append')).toHaveLength(1);
});
