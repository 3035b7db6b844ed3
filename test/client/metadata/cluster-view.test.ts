import { describe, expect, it } from 'vitest';
import {
  applyUpdate,
  type ClusterView,
  emptyView,
  leaderOf,
} from '../../../client/metadata/cluster-view.ts';
import type { MetadataUpdate, Partition } from '../../../proto/generated/highwater/v1/metadata.ts';
import { nodeId, partitionNumber, topicId } from '../../../proto/model/ids.ts';
import { brokerEpoch, leaderEpoch, partitionEpoch, revision } from '../../../proto/model/offset.ts';

const orders = topicId('00000000-0000-4000-8000-000000000001');
const zero = partitionNumber(0);

function partition(
  epochs: readonly [leader: number, partition: number],
  leader: number | undefined,
): Partition {
  return {
    partition: zero,
    leader: leader === undefined ? undefined : nodeId(leader),
    leaderEpoch: leaderEpoch(epochs[0]),
    partitionEpoch: partitionEpoch(epochs[1]),
    replicas: [nodeId(1), nodeId(2)],
    isr: [nodeId(1), nodeId(2)],
    elr: [],
  };
}

function update(at: number, more: Partial<MetadataUpdate>): MetadataUpdate {
  const nothing = { brokers: [], topics: [], deletedTopics: [], removedBrokers: [] };
  return {
    revision: revision(at),
    clusterId: 'c',
    isSnapshot: false,
    stale: false,
    ...nothing,
    ...more,
  };
}

function withLeader(
  at: number,
  epochs: readonly [number, number],
  leader: number | undefined,
): MetadataUpdate {
  const topic = {
    topicId: orders,
    name: 'orders',
    internal: false,
    partitions: [partition(epochs, leader)],
    config: new Map(),
  };
  return update(at, { topics: [topic] });
}

function broker(id: number) {
  return {
    nodeId: nodeId(id),
    host: 'h',
    port: id,
    rack: '',
    fenced: false,
    draining: false,
    brokerEpoch: brokerEpoch(1),
  };
}

function begun(): ClusterView {
  const first = applyUpdate(
    emptyView,
    update(1, { isSnapshot: true, brokers: [broker(1), broker(2)] }),
  );
  return applyUpdate(first, withLeader(2, [1, 1], 1));
}

describe('the view of a cluster', () => {
  it('follows the leader from update to update', () => {
    const view = applyUpdate(begun(), withLeader(3, [2, 3], 2));
    expect(leaderOf(view, orders, zero)?.broker.nodeId).toBe(2);
  });

  it('has no leader while a round is open', () => {
    expect(
      leaderOf(applyUpdate(begun(), withLeader(3, [2, 2], undefined)), orders, zero),
    ).toBeUndefined();
  });

  it('never goes back to an earlier leader, whoever tells of it', () => {
    const view = applyUpdate(begun(), withLeader(3, [2, 3], 2));
    expect(leaderOf(applyUpdate(view, withLeader(3, [1, 9], 1)), orders, zero)?.broker.nodeId).toBe(
      2,
    );
    expect(applyUpdate(view, withLeader(1, [9, 9], 1))).toBe(view);
  });

  it('forgets everything older at a snapshot', () => {
    const view = applyUpdate(begun(), update(5, { isSnapshot: true, brokers: [broker(2)] }));
    expect([...view.brokers.keys()]).toEqual([2]);
    expect(view.topicsByName.size).toBe(0);
  });

  it('drops topics and brokers that are gone', () => {
    const view = applyUpdate(
      begun(),
      update(5, { deletedTopics: [orders], removedBrokers: [nodeId(1)] }),
    );
    expect(view.topicsById.size).toBe(0);
    expect([...view.brokers.keys()]).toEqual([2]);
  });
});
