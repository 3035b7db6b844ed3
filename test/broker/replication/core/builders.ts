/** Small builders for claims about one partition core: node 1 is the replica under test. */

import type { Effect } from '../../../../broker/replication/core/effects.ts';
import type { Input, Produce } from '../../../../broker/replication/core/inputs.ts';
import type {
  PartitionMetadata,
  PartitionSettings,
} from '../../../../broker/replication/core/metadata.ts';
import {
  createPartition,
  type PartitionStart,
  step,
} from '../../../../broker/replication/core/partition.ts';
import type { PartitionState } from '../../../../broker/replication/core/state.ts';
import { nodeId } from '../../../../proto/model/ids.ts';
import {
  brokerEpoch,
  leaderEpoch,
  offset,
  partitionEpoch,
} from '../../../../proto/model/offset.ts';

export const nodes = (...ids: number[]) => ids.map(nodeId);

/** Three replicas in sync, node 1 leads epoch 1; anything can be overridden. */
export function metadata(
  over: Partial<PartitionMetadata> = {},
  settings: Partial<PartitionSettings> = {},
): PartitionMetadata {
  return {
    leader: nodeId(1),
    leaderEpoch: leaderEpoch(1),
    partitionEpoch: partitionEpoch(1),
    replicas: nodes(1, 2, 3).map((node) => ({
      nodeId: node,
      brokerEpoch: brokerEpoch(node),
      isEligible: true,
    })),
    isr: nodes(1, 2, 3),
    semiSyncMembers: [],
    semiSyncReplicas: 2,
    uncleanEpoch: undefined,
    settings: {
      minInsyncReplicas: 2,
      semiSyncReplicas: 2,
      semiSyncTimeoutMs: 1_000,
      semiSyncOnTimeout: 'fail',
      lagTimeMaxMs: 5_000,
      ...settings,
    },
    ...over,
  };
}

/** A replica with `records` stored records of epoch 1, and no metadata yet. */
export function replica(records = 0, over: Partial<PartitionStart> = {}): PartitionState {
  const history = records === 0 ? [] : [{ epoch: leaderEpoch(1), startOffset: offset(0) }];
  return createPartition({
    self: nodeId(1),
    brokerEpoch: brokerEpoch(1),
    logStart: offset(0),
    logEnd: offset(records),
    history,
    watermark: offset(0),
    verifiedEpoch: leaderEpoch(0),
    isSuspect: false,
    forfeitedEpoch: undefined,
    isLeaseHeld: true,
    ...over,
  });
}

export function take(state: PartitionState, input: Input): Effect[] {
  const effects: Effect[] = [];
  step(state, input, effects);
  return effects;
}

/** Node 1 leads, has verified its epoch, and 2 and 3 have started streams. */
export function leader(
  over: Partial<PartitionMetadata> = {},
  settings: Partial<PartitionSettings> = {},
): PartitionState {
  const state = replica();
  const facts = metadata(over, settings);
  take(state, { kind: 'metadata', metadata: facts });
  take(state, { kind: 'verified-epoch-persisted', epoch: facts.leaderEpoch });
  for (const follower of [2, 3]) open(state, follower);
  return state;
}

export function open(state: PartitionState, follower: number, stream = 1): Effect[] {
  return take(state, {
    kind: 'follower-opened',
    follower: nodeId(follower),
    brokerEpoch: brokerEpoch(follower),
    stream,
    leaderEpoch: state.metadata?.leaderEpoch ?? leaderEpoch(0),
    lastEpoch: undefined,
    logEnd: offset(0),
  });
}

export function report(
  state: PartitionState,
  follower: number,
  stored: number,
  stream = 1,
): Effect[] {
  return take(state, {
    kind: 'follower-reported',
    follower: nodeId(follower),
    brokerEpoch: brokerEpoch(follower),
    stream,
    leaderEpoch: state.metadata?.leaderEpoch ?? leaderEpoch(0),
    logEnd: offset(stored),
    storedEnd: offset(stored),
  });
}

export function stored(state: PartitionState, end: number): Effect[] {
  return take(state, { kind: 'stored', end: offset(end), cuts: state.log.cuts });
}

export function produce(state: PartitionState, over: Partial<Produce> = {}): Effect[] {
  return take(state, {
    kind: 'produce',
    token: 1,
    count: 1,
    acks: 'all',
    deadlineMs: 30_000,
    nowMs: 0,
    verdict: { kind: 'fresh' },
    expectedOffset: undefined,
    isDiskFull: false,
    ...over,
  });
}

export function tick(state: PartitionState, nowMs: number, ableToServeMs = nowMs): Effect[] {
  return take(state, { kind: 'tick', nowMs, ableToServeMs });
}

/** The replies among some effects, as `token code outcome` or `token acked`. */
export function replies(effects: readonly Effect[]): string[] {
  return effects.flatMap((effect) => {
    if (effect.kind !== 'reply') return [];
    const { token, result } = effect;
    if (result.kind === 'failed') return [`${token} ${result.code} ${result.outcome}`];
    return [`${token} acked${result.receipt.isDegraded ? ' degraded' : ''}`];
  });
}

export function only<Kind extends Effect['kind']>(
  effects: readonly Effect[],
  kind: Kind,
): Extract<Effect, { kind: Kind }>[] {
  return effects.filter(
    (effect): effect is Extract<Effect, { kind: Kind }> => effect.kind === kind,
  );
}
