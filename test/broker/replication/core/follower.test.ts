import { describe, expect, test } from 'vitest';
import { decideRead, latestOffset } from '../../../../broker/replication/core/reading.ts';
import type { PartitionState } from '../../../../broker/replication/core/state.ts';
import { nodeId } from '../../../../proto/model/ids.ts';
import { leaderEpoch, offset, partitionEpoch } from '../../../../proto/model/offset.ts';
import { metadata, nodes, only, replica, report, stored, take } from './builders.ts';

/** Node 1 follows node 2 in epoch 3 and has `records` records of epoch 1. */
function follower(records: number, watermark = 0, uncleanEpoch?: number): PartitionState {
  const state = replica(records, { watermark: offset(watermark) });
  const unclean = uncleanEpoch === undefined ? undefined : leaderEpoch(uncleanEpoch);
  const facts = metadata({ leader: nodeId(2), leaderEpoch: leaderEpoch(3), uncleanEpoch: unclean });
  take(state, { kind: 'metadata', metadata: facts });
  return state;
}

function started(state: PartitionState, epochStart: number, watermark = 0) {
  const answer = {
    kind: 'start',
    from: state.log.end,
    epochStart: offset(epochStart),
    watermark: offset(watermark),
  } as const;
  const stream = state.streams;
  return take(state, { kind: 'stream-answered', stream, leaderEpoch: leaderEpoch(3), answer });
}

function diverged(state: PartitionState, epoch: number | undefined, end: number) {
  const answer = {
    kind: 'diverged',
    epoch: epoch === undefined ? undefined : leaderEpoch(epoch),
    endOffset: offset(end),
  } as const;
  const stream = state.streams;
  return take(state, { kind: 'stream-answered', stream, leaderEpoch: leaderEpoch(3), answer });
}

function replicated(state: PartitionState, baseOffset: number, endOffset: number, watermark = 0) {
  return take(state, {
    kind: 'replicated',
    stream: state.streams,
    leaderEpoch: leaderEpoch(3),
    baseOffset: offset(baseOffset),
    endOffset: offset(endOffset),
    epochs: [{ epoch: leaderEpoch(3), startOffset: offset(baseOffset) }],
    watermark: offset(watermark),
  });
}

describe('opening', () => {
  test('a diverged follower cuts, and asks again once the cut is durable', () => {
    const state = follower(5);
    expect(only(diverged(state, 1, 3), 'truncate')).toMatchObject([{ to: 3, isKeptAside: false }]);
    expect(state.log).toMatchObject({ end: 3, stored: 3 });
    const again = only(take(state, { kind: 'truncated', cuts: state.log.cuts }), 'open-stream');
    expect(again).toMatchObject([{ logEnd: 3, lastEpoch: 1, stream: 2 }]);
  });

  test('it halts rather than cut below its own watermark', () => {
    const state = follower(5, 4);
    const effects = diverged(state, 1, 3);
    expect(only(effects, 'halt')).toHaveLength(1);
    expect(only(effects, 'truncate')).toEqual([]);
    expect(state.role).toMatchObject({ kind: 'stopped', why: 'halted' });
  });

  test('a log that begins behind all that an unclean leader has begins anew there', () => {
    const over = { logStart: offset(3), watermark: offset(4) };
    const state = replica(5, over);
    state.log.history.splice(0, 1, { epoch: leaderEpoch(1), startOffset: offset(3) });
    const facts = { leader: nodeId(2), leaderEpoch: leaderEpoch(3), uncleanEpoch: leaderEpoch(2) };
    take(state, { kind: 'metadata', metadata: metadata(facts) });
    expect(only(diverged(state, 1, 2), 'truncate')).toMatchObject([{ to: 3, isKeptAside: true }]);
    take(state, { kind: 'truncated', cuts: state.log.cuts });
    expect(only(diverged(state, undefined, 2), 'reset')).toMatchObject([{ to: 2 }]);
    take(state, { kind: 'truncated', cuts: state.log.cuts });
    expect(state.log).toMatchObject({ start: 2, end: 2 });
    expect(state.role).toMatchObject({ phase: 'opening' });
  });

  test('it begins anew where the leader has deleted what both may have had', () => {
    const state = follower(5, 2);
    expect(only(diverged(state, undefined, 3), 'reset')).toMatchObject([{ to: 3 }]);
    expect(state.log).toMatchObject({ start: 3, end: 3 });
    const halted = follower(5, 4);
    expect(only(diverged(halted, undefined, 3), 'halt')).toHaveLength(1);
  });

  test('after a committed unclean election it cuts there, and keeps the bytes aside', () => {
    const state = follower(5, 4, 2);
    expect(only(diverged(state, 1, 3), 'truncate')).toMatchObject([{ to: 3, isKeptAside: true }]);
    expect(state.watermark).toBe(3);
  });

  test('it starts anew where the leader has nothing that it could agree on', () => {
    const state = follower(2);
    const answer = { kind: 'reset', logStart: offset(9) } as const;
    const stream = state.streams;
    const input = { kind: 'stream-answered', stream, leaderEpoch: leaderEpoch(3), answer } as const;
    expect(only(take(state, input), 'reset')).toMatchObject([{ to: 9 }]);
    expect(state.log).toMatchObject({ start: 9, end: 9, stored: 9, history: [] });
  });

  test('answers of an earlier stream are ignored', () => {
    const state = follower(5);
    take(state, { kind: 'stream-closed', stream: 1 });
    take(state, { kind: 'leader-reachable', node: nodeId(2) });
    const answer = { kind: 'diverged', epoch: undefined, endOffset: offset(0) } as const;
    take(state, { kind: 'stream-answered', stream: 1, leaderEpoch: leaderEpoch(3), answer });
    expect(state.log.end).toBe(5);
  });
});

describe('copying', () => {
  test('nothing stored is reported before the verified epoch is durable', () => {
    const state = follower(0);
    expect(only(started(state, 1), 'report')).toMatchObject([{ storedEnd: undefined }]);
    replicated(state, 0, 1);
    const flushed = stored(state, 1);
    expect(only(flushed, 'persist-verified-epoch')).toMatchObject([{ epoch: 3 }]);
    expect(only(flushed, 'report')).toMatchObject([{ logEnd: 1, storedEnd: undefined }]);
    const durable = take(state, { kind: 'verified-epoch-persisted', epoch: leaderEpoch(3) });
    expect(only(durable, 'report')).toMatchObject([{ storedEnd: 1 }]);
  });

  test('a gap closes the stream; the watermark never passes the log', () => {
    const state = follower(0);
    started(state, 0);
    replicated(state, 0, 1, 9);
    expect(state.watermark).toBe(1);
    expect(only(replicated(state, 5, 6), 'close-stream')).toHaveLength(1);
    expect(state.log.end).toBe(1);
  });

  test('a flush that began before a cut says nothing', () => {
    const state = follower(5);
    diverged(state, 1, 3);
    take(state, { kind: 'stored', end: offset(3), cuts: 0 });
    state.log.stored = offset(1);
    take(state, { kind: 'stored', end: offset(3), cuts: 0 });
    expect(state.log.stored).toBe(1);
  });

  test('after the promise nothing is taken or reported, and the round is answered again', () => {
    const state = follower(0);
    started(state, 0);
    const facts = {
      leader: undefined,
      leaderEpoch: leaderEpoch(4),
      partitionEpoch: partitionEpoch(9),
    };
    const promised = take(state, { kind: 'metadata', metadata: metadata(facts) });
    expect(only(promised, 'answer-promise')).toMatchObject([{ leaderEpoch: 4, storedEnd: 0 }]);
    expect(replicated(state, 0, 1)).toEqual([]);
    expect(stored(state, 1)).toEqual([]);
    const again = take(state, { kind: 'promise-asked', leaderEpoch: leaderEpoch(4) });
    expect(only(again, 'answer-promise')).toHaveLength(1);
  });
});

describe('reading', () => {
  const read = (at: number, token?: [epoch: number, end: number]) => ({
    offset: offset(at),
    position: undefined,
    token: token && { epoch: leaderEpoch(token[0]), offset: offset(token[1]) },
  });

  test('any replica serves below its watermark, and waits at it', () => {
    const state = follower(5, 4);
    expect(decideRead(state, read(1))).toEqual({ kind: 'serve', from: 1, upTo: 4 });
    expect(decideRead(state, read(4))).toEqual({ kind: 'wait', isBehind: false });
    expect(decideRead(state, read(9))).toEqual({ kind: 'wait', isBehind: true });
  });

  test('a replica behind the token waits; a token whose epoch ended below it is lost', () => {
    const state = follower(3);
    started(state, 3);
    replicated(state, 3, 5, 5);
    expect(decideRead(state, read(0, [3, 6]))).toEqual({ kind: 'wait', isBehind: true });
    expect(decideRead(state, read(0, [1, 3])).kind).toBe('serve');
    expect(decideRead(state, read(0, [1, 4]))).toEqual({ kind: 'position-lost', divergedAt: 3 });
  });

  test('a history above the watermark proves nothing', () => {
    const state = follower(3);
    started(state, 3);
    replicated(state, 3, 5, 2);
    expect(decideRead(state, read(0, [1, 4]))).toEqual({ kind: 'wait', isBehind: true });
  });

  test('a new leader says where the log ends only once its watermark reached its epoch', () => {
    const state = replica(2);
    take(state, { kind: 'metadata', metadata: metadata({ isr: nodes(1, 2) }) });
    expect(latestOffset(state)).toBeUndefined();
    expect(decideRead(state, read(9))).toEqual({ kind: 'wait', isBehind: true });
    take(state, { kind: 'verified-epoch-persisted', epoch: leaderEpoch(1) });
    take(state, {
      kind: 'follower-opened',
      follower: nodeId(2),
      brokerEpoch: state.metadata?.replicas[1]?.brokerEpoch ?? state.brokerEpoch,
      stream: 1,
      leaderEpoch: leaderEpoch(1),
      lastEpoch: leaderEpoch(1),
      logEnd: offset(2),
    });
    report(state, 2, 2);
    expect(latestOffset(state)).toBe(2);
    expect(decideRead(state, read(9))).toEqual({ kind: 'refused', code: 'OFFSET_OUT_OF_RANGE' });
  });

  test('a leader whose place is taken does not say where the log ends', () => {
    const state = replica(2);
    take(state, {
      kind: 'metadata',
      metadata: metadata({ isr: nodes(1) }, { minInsyncReplicas: 1 }),
    });
    take(state, { kind: 'verified-epoch-persisted', epoch: leaderEpoch(1) });
    expect(decideRead(state, read(9))).toEqual({ kind: 'refused', code: 'OFFSET_OUT_OF_RANGE' });
    const later = { ...read(9), position: { epoch: leaderEpoch(2), offset: offset(9) } };
    expect(decideRead(state, later)).toEqual({ kind: 'wait', isBehind: true });
    take(state, { kind: 'lease', isHeld: false });
    expect(decideRead(state, read(9))).toEqual({ kind: 'wait', isBehind: true });
  });

  test('an epoch without records still ends the one before it', () => {
    const state = follower(3);
    started(state, 3, 3);
    expect(decideRead(state, read(0, [1, 4]))).toEqual({ kind: 'position-lost', divergedAt: 3 });
  });
});
