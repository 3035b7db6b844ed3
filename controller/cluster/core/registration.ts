/**
 * A broker's incarnation begins: which epoch it gets, and whether its storage can be trusted.
 *
 * A replica is suspect when its storage may lack what it once had (rules 6.6, B3.10). The verdict is
 * committed in the same change as the registration that shows it, so no election comes between.
 */
import type { BrokerImage, HostedPartition, MetadataImage } from '../../../proto/metadata/image.ts';
import { record } from '../../../proto/metadata/records.ts';
import type {
  IncarnationId,
  NodeId,
  PartitionNumber,
  StorageId,
  TopicId,
} from '../../../proto/model/ids.ts';
import { type BrokerEpoch, brokerEpoch } from '../../../proto/model/offset.ts';
import { decided, type Outcome, type Refused, refused } from './decision.ts';
import { releasePartitions } from './fencing.ts';
import { type ClusterRules, everyClusterRule } from './rules.ts';

/** What a starting broker says about itself. */
export interface Registration {
  readonly nodeId: NodeId;
  readonly incarnationId: IncarnationId;
  readonly storageId: StorageId;
  /** The epoch that the directory holds; undefined: an empty one. */
  readonly lastBrokerEpoch?: BrokerEpoch | undefined;
  readonly storageStamp: number;
  /** The directory carries the marker of an orderly stop. */
  readonly cleanStop: boolean;
  /** The kernel was started anew since the last write: what was not flushed is gone. */
  readonly kernelChanged: boolean;
  readonly rack: string;
  readonly host: string;
  readonly port: number;
  readonly peerHost: string;
  readonly peerPort: number;
  readonly featureMin: number;
  readonly featureMax: number;
  readonly damaged: readonly { readonly topicId: TopicId; readonly partition: PartitionNumber }[];
}

/** The epoch of a registration that is only decided is the revision of its commit. */
export interface RegistrationAnswer {
  readonly brokerEpoch: BrokerEpoch | 'revision';
}

/** Decides a registration. `isLive`: the registered incarnation was heard of within its session. */
export function decideRegistration(
  image: MetadataImage,
  request: Registration,
  isLive: boolean,
  rules: ClusterRules = everyClusterRule,
): Outcome<RegistrationAnswer> {
  const { nodeId, incarnationId } = request;
  const before = image.brokers.get(nodeId);
  if (before?.incarnationId === incarnationId) return decided({ brokerEpoch: before.brokerEpoch });
  const fault = requestFault(image, request) ?? duplicateFault(before, request, isLive);
  if (fault !== undefined) return fault;

  const storage = before === undefined ? 'known' : judgeStorage(before, request);
  const isSuspect = rules.suspectsAtOnce ? suspicion(request, storage) : undefined;
  const { records, counts } = releasePartitions(image, nodeId, isSuspect, rules);
  const { rack, host, port, peerHost, peerPort, featureMin, featureMax, storageId } = request;
  records.push(
    record('brokerRegistered', {
      nodeId,
      brokerEpoch: brokerEpoch(0),
      incarnationId,
      storageId,
      ...knownStorage(before, request, storage),
      rack,
      host,
      port,
      peerHost,
      peerPort,
      featureMin,
      featureMax,
    }),
  );
  const event = {
    kind: 'broker-registered',
    subject: `broker ${nodeId}`,
    reason: before === undefined ? 'first registration' : `storage ${storage}`,
    evidence: { ...counts, damaged: request.damaged.length, cleanStop: String(request.cleanStop) },
  } as const;
  return decided({ brokerEpoch: 'revision' }, records, [event]);
}

/** `new`: another directory. `older`: an earlier image of the same one. */
type StorageVerdict = 'known' | 'new' | 'older';

/**
 * Compared with what the directory is known to have held: an epoch counts once the broker was unfenced
 * under it, a stamp once it was reported, so a crash between grant and write makes nobody suspect.
 */
function judgeStorage(before: BrokerImage, request: Registration): StorageVerdict {
  if (request.storageId !== before.storageId) return 'new';
  const { storedEpoch, storageStamp } = before;
  if (storedEpoch !== undefined && (request.lastBrokerEpoch ?? 0) < storedEpoch) return 'older';
  return request.storageStamp < storageStamp ? 'older' : 'known';
}

function suspicion(
  request: Registration,
  storage: StorageVerdict,
): (hosted: HostedPartition) => boolean {
  if (storage !== 'known') return () => true;
  const damaged = new Set(request.damaged.map((one) => `${one.topicId}/${one.partition}`));
  const lostPageCache = request.kernelChanged && !request.cleanStop;
  return ({ topic, partition }) =>
    damaged.has(`${topic.topicId}/${partition.partition}`) ||
    (lostPageCache && topic.settings.flush === 'os');
}

/** Once an image is found old, what it holds is what is known; its replicas are suspect already. */
function knownStorage(
  before: BrokerImage | undefined,
  request: Registration,
  storage: StorageVerdict,
): { readonly storedEpoch: BrokerEpoch | undefined; readonly storageStamp: number } {
  if (before === undefined || storage !== 'known') {
    return { storedEpoch: undefined, storageStamp: request.storageStamp };
  }
  return { storedEpoch: before.storedEpoch, storageStamp: before.storageStamp };
}

function requestFault(image: MetadataImage, request: Registration): Refused | undefined {
  const { featureMin, featureMax, host, peerHost, rack } = request;
  if (image.featureLevel < featureMin || image.featureLevel > featureMax) {
    return refused(
      'UNSUPPORTED_VERSION',
      `broker ${request.nodeId} speaks feature levels ${featureMin} to ${featureMax}; the cluster is at ${image.featureLevel}`,
      { featureMin, featureMax, featureLevel: image.featureLevel },
    );
  }
  for (const port of [request.port, request.peerPort]) {
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      return refused('INVALID_REQUEST', `port ${port}; expected 1 to 65535`, { port });
    }
  }
  if (host === '' || host.length > 255 || peerHost === '' || peerHost.length > 255) {
    return refused('INVALID_REQUEST', 'a host is a text of 1 to 255 characters', {});
  }
  return rack.length <= 64
    ? undefined
    : refused('INVALID_REQUEST', `a rack of ${rack.length} characters; expected up to 64`, {});
}

/**
 * Another directory under the node id of a live process is a second node that was given the same id.
 * The same directory is a restart: its lock says that the earlier process is gone.
 */
function duplicateFault(
  before: BrokerImage | undefined,
  request: Registration,
  isLive: boolean,
): Refused | undefined {
  if (before === undefined || !isLive || before.state === 'fenced') return undefined;
  if (before.storageId === request.storageId) return undefined;
  return refused(
    'DUPLICATE_BROKER',
    `node id ${request.nodeId} belongs to a live broker with another data directory`,
    { nodeId: request.nodeId, storageId: before.storageId },
  );
}
