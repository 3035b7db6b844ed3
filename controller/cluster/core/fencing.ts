/**
 * What a broker's end means for the partitions that it holds: it leaves every in-sync set, and where
 * it led a round is opened. The dead last leader is not kept in the in-sync set (rule B3.8); below the
 * minimum it stays eligible (rule B3.7).
 */
import {
  type BrokerImage,
  type HostedPartition,
  type MetadataImage,
  partitionsOn,
} from '../../../proto/metadata/image.ts';
import { type MetadataRecord, record } from '../../../proto/metadata/records.ts';
import type { NodeId } from '../../../proto/model/ids.ts';
import type { EventDraft } from './decision.ts';
import {
  changed,
  opened,
  stepped,
  withIsr,
  without,
  withRound,
  withSuspect,
} from './partition-step.ts';
import { type ClusterRules, everyClusterRule } from './rules.ts';

/** How many partitions felt it. */
export interface FencingCounts {
  readonly leaderships: number;
  readonly inSync: number;
  readonly suspects: number;
}

/**
 * The records that take a broker out of every set that it must not be in. `isSuspect` says of which
 * replicas the storage is; without it the storage is good, and only the process is gone.
 */
export function releasePartitions(
  image: MetadataImage,
  node: NodeId,
  isSuspect?: (hosted: HostedPartition) => boolean,
  rules: ClusterRules = everyClusterRule,
): { readonly records: MetadataRecord[]; readonly counts: FencingCounts } {
  const records: MetadataRecord[] = [];
  const counts = { leaderships: 0, inSync: 0, suspects: 0 };
  for (const hosted of partitionsOn(image, node)) {
    const { topic, partition } = hosted;
    const becomesSuspect = isSuspect?.(hosted) === true && !partition.suspects.includes(node);
    const isLeader = partition.leader === node;
    const wasInSync = partition.isr.includes(node);
    if (!becomesSuspect && !wasInSync) continue;
    const kept = isLeader && !rules.releasesLeader ? [] : [node];
    const sets = becomesSuspect
      ? withSuspect(partition, node, rules)
      : withIsr(partition, without(partition.isr, kept), rules);
    if (isLeader) counts.leaderships++;
    if (wasInSync) counts.inSync++;
    if (becomesSuspect) counts.suspects++;
    const { topicId } = topic;
    records.push(
      isLeader
        ? opened(
            topicId,
            stepped(
              topic,
              partition,
              { ...sets, ...withRound(partition, 'leader-lost', rules) },
              rules,
            ),
          )
        : changed(topicId, stepped(topic, partition, sets, rules)),
    );
  }
  return { records, counts };
}

/** Fences one incarnation. Its sets first: no committed state names a fenced member (invariant S10). */
export function fence(
  image: MetadataImage,
  broker: BrokerImage,
  why: { readonly reason: string; readonly evidence?: EventDraft['evidence'] },
  rules: ClusterRules = everyClusterRule,
): { readonly records: readonly MetadataRecord[]; readonly event: EventDraft } {
  const { nodeId, brokerEpoch } = broker;
  const { records, counts } = releasePartitions(image, nodeId, undefined, rules);
  records.push(record('brokerFenced', { nodeId, brokerEpoch }));
  const event: EventDraft = {
    kind: 'broker-fenced',
    subject: `broker ${nodeId}`,
    reason: why.reason,
    evidence: {
      brokerEpoch,
      leaderships: counts.leaderships,
      inSync: counts.inSync,
      ...why.evidence,
    },
  };
  return { records, event };
}
