/**
 * What a heartbeat lets the controller decide: unfence a broker that has caught up with the metadata,
 * renew its storage stamp, stop it in order.
 */
import {
  type BrokerImage,
  type MetadataImage,
  partitionsOn,
} from '../../../proto/metadata/image.ts';
import { record } from '../../../proto/metadata/records.ts';
import type { NodeId } from '../../../proto/model/ids.ts';
import type { BrokerEpoch, Revision } from '../../../proto/model/offset.ts';
import { decided, type EventDraft, type Outcome, type Refused, refused } from './decision.ts';
import { fence } from './fencing.ts';
import { type ClusterRules, everyClusterRule } from './rules.ts';
import { successorFor } from './successor.ts';

/** What a broker reports. It has stored its epoch before the first one. */
export interface Heartbeat {
  readonly nodeId: NodeId;
  readonly brokerEpoch: BrokerEpoch;
  /** How far its image has come. */
  readonly revision: Revision;
  readonly wantsShutdown: boolean;
  /** The stamp that its directory holds. */
  readonly storageStamp: number;
  readonly diskFailing: boolean;
}

export interface HeartbeatAnswer {
  readonly fenced: boolean;
  /** No leadership is left here that could be moved. */
  readonly mayShutDown: boolean;
  /** The stamp to store next; the reported one if it is not time yet. */
  readonly nextStorageStamp: number;
}

/** Decides what follows from a heartbeat. `renewsStamp`: the last stamp is a minute old. */
export function decideHeartbeat(
  image: MetadataImage,
  request: Heartbeat,
  renewsStamp: boolean,
  rules: ClusterRules = everyClusterRule,
): Outcome<HeartbeatAnswer> {
  const broker = registeredBroker(image, request, rules);
  if ('code' in broker) return broker;
  const { nodeId, brokerEpoch } = broker;
  const named = { nodeId, brokerEpoch };
  const subject = `broker ${nodeId}`;
  const nextStorageStamp = broker.storageStamp + (renewsStamp ? 1 : 0);
  const answer = (fenced: boolean, mayShutDown = false): HeartbeatAnswer => ({
    fenced,
    mayShutDown,
    nextStorageStamp,
  });

  if (broker.state === 'fenced') {
    const hasMetadata = request.revision >= brokerEpoch || !rules.awaitsMetadata;
    const isReady = hasMetadata && !request.diskFailing;
    if (!isReady || request.wantsShutdown) return decided(answer(true, request.wantsShutdown));
    const { revision } = request;
    const event = { kind: 'broker-unfenced', subject, reason: 'caught up with the metadata' };
    return decided(
      answer(false),
      [record('brokerUnfenced', named)],
      [{ ...event, evidence: { brokerEpoch, revision } } as EventDraft],
    );
  }
  if (request.diskFailing) {
    const { records, event } = fence(image, broker, { reason: 'its disk is failing' }, rules);
    return decided(answer(true), records, [event]);
  }
  if (request.wantsShutdown && !hasMovableLeadership(image, broker)) {
    const { records, event } = fence(image, broker, { reason: 'orderly stop' }, rules);
    return decided(answer(true, true), records, [event]);
  }
  if (request.wantsShutdown && broker.state === 'active') {
    const event = { kind: 'broker-stopping', subject, reason: 'asked to stop' };
    return decided(
      answer(false),
      [record('brokerStopping', named)],
      [{ ...event, evidence: { leaders: image.hosting.get(nodeId)?.leaders ?? 0 } } as EventDraft],
    );
  }
  // Only the stamp that follows the known one was given out: anything else says nothing.
  const { storageStamp } = request;
  const isConfirmed = storageStamp === broker.storageStamp + 1;
  return isConfirmed
    ? decided({ ...answer(false), nextStorageStamp: storageStamp }, [
        record('brokerStamped', { ...named, storageStamp }),
      ])
    : decided(answer(false));
}

/** The broker that a message of this incarnation comes from, or why it changes nothing (rule 6.2). */
export function registeredBroker(
  image: Pick<MetadataImage, 'brokers'>,
  request: { readonly nodeId: NodeId; readonly brokerEpoch: BrokerEpoch },
  rules: ClusterRules = everyClusterRule,
): BrokerImage | Refused {
  const { nodeId, brokerEpoch } = request;
  const broker = image.brokers.get(nodeId);
  if (broker === undefined) {
    return refused('UNKNOWN_BROKER', `broker ${nodeId} is not registered`, { nodeId });
  }
  if (broker.brokerEpoch === brokerEpoch || !rules.comparesSender) return broker;
  const registered = broker.brokerEpoch;
  return refused(
    'STALE_BROKER_EPOCH',
    `broker ${nodeId} is registered under epoch ${registered}, not ${brokerEpoch}`,
    { nodeId, brokerEpoch, registered },
  );
}

/** Stopping waits for the leaderships that somebody else can take, not for the others. */
function hasMovableLeadership(image: MetadataImage, broker: BrokerImage): boolean {
  if ((image.hosting.get(broker.nodeId)?.leaders ?? 0) === 0) return false;
  for (const { partition } of partitionsOn(image, broker.nodeId)) {
    if (partition.leader === broker.nodeId && successorFor(image, partition) !== undefined) {
      return true;
    }
  }
  return false;
}
