/** One row for each broker and each voter: what the controllers say of it, and what it says itself. */
import type { NodeFigures, NodeRow } from '../../proto/dashboard/messages.ts';
import type { ReadTelemetryResponse } from '../../proto/generated/highwater/peer/v1/telemetry.ts';
import type { MetadataImage } from '../../proto/metadata/image.ts';
import { type NodeId, nodeId } from '../../proto/model/ids.ts';
import type { PeerAddress } from '../../proto/ports/link.ts';
import type { ClusterMoment } from './cluster-rows.ts';

/** In the order of their ids. */
export function nodeRows(moment: ClusterMoment): NodeRow[] {
  const { image, nowMs } = moment;
  return nodeIdsOf(image).map((id) => {
    const broker = image.brokers.get(id);
    const hosting = image.hosting.get(id);
    const heard = moment.heard(id);
    return {
      id,
      address: broker === undefined ? '' : `${broker.host}:${broker.port}`,
      rack: broker?.rack ?? '',
      state: broker?.state ?? 'controller',
      intent: broker?.intent ?? '',
      voter: voterStanding(moment, id),
      leaders: hosting?.leaders ?? 0,
      replicas: hosting?.replicas ?? 0,
      heardMs: heard === undefined ? null : Math.max(0, Math.round(nowMs - heard.heardAt)),
      http: heard?.figures.http ?? '',
      figures: heard === undefined ? null : figuresOf(heard.figures),
    };
  });
}

/** Where every node of the image is reached by its peers. */
export function peersOf(image: MetadataImage): PeerAddress[] {
  const peers = new Map<NodeId, PeerAddress>();
  for (const { nodeId, host, port } of image.voters) peers.set(nodeId, { nodeId, host, port });
  image.brokers.forEach(({ nodeId, peerHost: host, peerPort: port }) =>
    peers.set(nodeId, { nodeId, host, port }),
  );
  return [...peers.values()];
}

function nodeIdsOf(image: MetadataImage): readonly NodeId[] {
  const ids = new Set<number>(image.brokers.keys());
  for (const voter of image.voters) ids.add(voter.nodeId);
  return [...ids].sort((a, b) => a - b).map((id) => nodeId(id));
}

function voterStanding({ image, controller }: ClusterMoment, id: NodeId): NodeRow['voter'] {
  const voter = image.voters.find((one) => one.nodeId === id);
  if (voter === undefined) return null;
  if (voter.isLearner) return 'learner';
  return controller === id ? 'active' : 'voter';
}

function figuresOf(told: ReadTelemetryResponse): NodeFigures {
  const { ready, residentBytes, loopDelayUs, traffic } = told;
  return {
    isReady: ready,
    residentBytes,
    loopDelayUs,
    producedBytes: traffic?.producedBytes ?? 0,
    producedRecords: traffic?.producedRecords ?? 0,
    fetchedBytes: traffic?.fetchedBytes ?? 0,
    produceMs: traffic?.produceMs ?? [],
  };
}
