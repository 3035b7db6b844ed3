/**
 * Records about brokers. Each names the incarnation that it was decided for, so a record about an
 * earlier one changes nothing (rule B3.9).
 */
import type {
  BrokerRegistered,
  MetadataRecord,
} from '../generated/highwater/metadata/v1/records.ts';
import { isUuid, type NodeId } from '../model/ids.ts';
import { type BrokerEpoch, brokerEpoch } from '../model/offset.ts';
import type { ImageDraft } from './draft.ts';
import type { BrokerImage } from './image.ts';

type BrokerBody = Extract<
  NonNullable<MetadataRecord['body']>,
  {
    kind:
      | 'brokerRegistered'
      | 'brokerFenced'
      | 'brokerUnfenced'
      | 'brokerStopping'
      | 'brokerIntentChanged'
      | 'brokerStamped'
      | 'brokerRemoved';
  }
>;

/** Applies one record, or says what is wrong with it. */
export function replayBroker(draft: ImageDraft, body: BrokerBody): string | undefined {
  switch (body.kind) {
    case 'brokerRegistered':
      return registered(draft, body.value);
    case 'brokerFenced':
      return changed(draft, body.value, (broker) => ({ ...broker, state: 'fenced' }));
    case 'brokerUnfenced':
      return changed(draft, body.value, (broker) => ({
        ...broker,
        state: 'active',
        storedEpoch: broker.brokerEpoch,
      }));
    case 'brokerStopping':
      return changed(draft, body.value, (broker) => ({ ...broker, state: 'stopping' }));
    case 'brokerStamped':
      return changed(draft, body.value, (broker) => stamped(broker, body.value.storageStamp));
    case 'brokerIntentChanged': {
      const { nodeId, intent } = body.value;
      if (intent === 'unspecified') return 'an intent is serve, drain or remove';
      return changed(draft, { nodeId }, (broker) => ({ ...broker, intent }));
    }
    case 'brokerRemoved':
      return removed(draft, body.value.nodeId);
  }
}

function registered(draft: ImageDraft, value: BrokerRegistered): string | undefined {
  const { nodeId, incarnationId, storageId, storedEpoch, storageStamp } = value;
  if (nodeId < 1) return `node id ${nodeId}; expected 1 or greater`;
  if (!isUuid(incarnationId)) return 'an incarnation is a UUID';
  if (!isUuid(storageId)) return 'a storage is a UUID';
  const fault = addressFault(value);
  if (fault !== undefined) return fault;
  const before = draft.brokers.get(nodeId);
  const epoch = value.brokerEpoch === 0 ? brokerEpoch(draft.revision) : value.brokerEpoch;
  if (epoch > draft.revision) return `broker epoch ${epoch} is of a later revision`;
  if (before !== undefined && epoch <= before.brokerEpoch) {
    return `broker epoch ${epoch} does not follow ${before.brokerEpoch}`;
  }
  const broker: BrokerImage = {
    ...value,
    brokerEpoch: epoch,
    storedEpoch,
    storageStamp,
    state: 'fenced',
    intent: before?.intent ?? 'serve',
  };
  draft.brokers = draft.brokers.set(nodeId, broker, draft.owner);
  return undefined;
}

/** Who registers is to be reached, by clients and by nodes. */
function addressFault(value: BrokerRegistered): string | undefined {
  const { host, port, peerHost, peerPort, rack } = value;
  for (const one of [port, peerPort])
    if (one < 1 || one > 65_535) return `port ${one}; expected 1 to 65535`;
  for (const one of [host, peerHost])
    if (one === '' || one.length > 255) return 'a host is a text of 1 to 255 characters';
  return rack.length > 64 ? `a rack of ${rack.length} characters; expected up to 64` : undefined;
}

/** Undefined from `change` means that the record says nothing that could be true. */
function changed(
  draft: ImageDraft,
  named: { readonly nodeId: NodeId; readonly brokerEpoch?: BrokerEpoch },
  change: (broker: BrokerImage) => BrokerImage | undefined,
): string | undefined {
  const broker = draft.brokers.get(named.nodeId);
  if (broker === undefined) return `broker ${named.nodeId} is not registered`;
  if (named.brokerEpoch !== undefined && named.brokerEpoch !== broker.brokerEpoch) {
    return `epoch ${named.brokerEpoch} of broker ${named.nodeId} is not the registered one, ${broker.brokerEpoch}`;
  }
  const after = change(broker);
  if (after === undefined) return `broker ${named.nodeId} cannot change so`;
  draft.brokers = draft.brokers.set(named.nodeId, after, draft.owner);
  return undefined;
}

function stamped(broker: BrokerImage, storageStamp: number): BrokerImage | undefined {
  return storageStamp < broker.storageStamp ? undefined : { ...broker, storageStamp };
}

/** A broker is forgotten only when it holds nothing. */
function removed(draft: ImageDraft, nodeId: NodeId): string | undefined {
  const replicas = draft.hosting.get(nodeId)?.replicas ?? 0;
  if (replicas > 0) return `broker ${nodeId} still holds ${replicas} replicas`;
  if (!draft.brokers.has(nodeId)) return `broker ${nodeId} is not registered`;
  draft.brokers = draft.brokers.delete(nodeId, draft.owner);
  return undefined;
}
