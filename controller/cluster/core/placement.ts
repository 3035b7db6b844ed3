/**
 * Where the replicas of new partitions go: leaders and replicas evenly over the brokers, the replicas of
 * one partition over as many racks as there are.
 *
 * Evenness inside the topic comes first, that of the whole cluster decides between equals: a broker that
 * has just joined gets its share of a new topic, not all of it. Deterministic: chance arrives as a number.
 */
import type { BrokerImage, MetadataImage } from '../../../proto/metadata/image.ts';
import type { PartitionState } from '../../../proto/metadata/records.ts';
import type { NodeId } from '../../../proto/model/ids.ts';

export interface PlacementRequest {
  readonly partitions: number;
  readonly replicationFactor: number;
  /** Partitions that the topic has already. */
  readonly existing: Iterable<PartitionState>;
  /** In [0, 1): where to begin among equals. */
  readonly random: number;
}

interface Candidate {
  readonly nodeId: NodeId;
  readonly rack: string;
  /** Not serving: taken only when there are not enough others, and never first. */
  readonly isReserve: boolean;
  /** Order among equals; turned by the random number. */
  readonly rank: number;
  leaders: number;
  replicas: number;
  clusterLeaders: number;
  clusterReplicas: number;
}

/** Brokers that may get replicas: registered and not to be removed or drained. */
export function placeableBrokers(image: Pick<MetadataImage, 'brokers'>): BrokerImage[] {
  return [...image.brokers.values()].filter(({ intent }) => intent === 'serve');
}

/** Replicas of each partition, the preferred leader first. There are enough brokers, one serving. */
export function placeReplicas(
  image: Pick<MetadataImage, 'brokers' | 'hosting'>,
  request: PlacementRequest,
): NodeId[][] {
  const candidates = candidatesOf(image, request);
  const placed: NodeId[][] = [];
  for (let partition = 0; partition < request.partitions; partition++) {
    const chosen: Candidate[] = [];
    while (chosen.length < request.replicationFactor) {
      const next = least(candidates, chosen);
      if (next === undefined) break;
      if (chosen.length === 0) {
        next.leaders++;
        next.clusterLeaders++;
      }
      next.replicas++;
      next.clusterReplicas++;
      chosen.push(next);
    }
    placed.push(chosen.map(({ nodeId }) => nodeId));
  }
  return placed;
}

/** The broker that a replica moves to; undefined: none can take it. */
export function replacementFor(
  image: Pick<MetadataImage, 'brokers' | 'hosting'>,
  state: PartitionState,
  leaving: NodeId,
  extra: ReadonlyMap<NodeId, number>,
): NodeId | undefined {
  const racks = new Set(
    state.replicas.filter((node) => node !== leaving).map((node) => image.brokers.get(node)?.rack),
  );
  let best: { nodeId: NodeId; sharesRack: boolean; replicas: number } | undefined;
  for (const { nodeId, rack, state: life } of placeableBrokers(image)) {
    if (life !== 'active' || state.replicas.includes(nodeId)) continue;
    const replicas = (image.hosting.get(nodeId)?.replicas ?? 0) + (extra.get(nodeId) ?? 0);
    const sharesRack = racks.has(rack);
    const isBetter =
      best === undefined ||
      Number(sharesRack) - Number(best.sharesRack) < 0 ||
      (sharesRack === best.sharesRack && replicas < best.replicas);
    if (isBetter) best = { nodeId, sharesRack, replicas };
  }
  return best?.nodeId;
}

function candidatesOf(
  image: Pick<MetadataImage, 'brokers' | 'hosting'>,
  { existing, random }: PlacementRequest,
): Candidate[] {
  const brokers = placeableBrokers(image);
  const turn = Math.floor(random * brokers.length);
  const candidates = brokers.map(({ nodeId, rack, state }, i): Candidate => {
    const hosting = image.hosting.get(nodeId);
    return {
      nodeId,
      rack,
      isReserve: state !== 'active',
      rank: (i + turn) % brokers.length,
      leaders: 0,
      replicas: 0,
      clusterLeaders: hosting?.leaders ?? 0,
      clusterReplicas: hosting?.replicas ?? 0,
    };
  });
  const byId = new Map(candidates.map((candidate) => [candidate.nodeId, candidate]));
  for (const { replicas } of existing) {
    for (const [rank, node] of replicas.entries()) {
      const candidate = byId.get(node);
      if (candidate === undefined) continue;
      candidate.replicas++;
      if (rank === 0) candidate.leaders++;
    }
  }
  return candidates;
}

/** The best next replica; a broker that does not serve never comes before one that does. */
function least(
  candidates: readonly Candidate[],
  chosen: readonly Candidate[],
): Candidate | undefined {
  const isLeader = chosen.length === 0;
  let best: Candidate | undefined;
  for (const candidate of candidates) {
    if (chosen.includes(candidate)) continue;
    if (best === undefined || compare(candidate, best, chosen, isLeader) < 0) best = candidate;
  }
  return best;
}

function compare(
  a: Candidate,
  b: Candidate,
  chosen: readonly Candidate[],
  isLeader: boolean,
): number {
  const byReserve = Number(a.isReserve) - Number(b.isReserve);
  if (byReserve !== 0) return byReserve;
  if (isLeader) {
    const byLeaders = a.leaders - b.leaders || a.clusterLeaders - b.clusterLeaders;
    if (byLeaders !== 0) return byLeaders;
  } else {
    const byRack = rackShares(a, chosen) - rackShares(b, chosen);
    if (byRack !== 0) return byRack;
  }
  return a.replicas - b.replicas || a.clusterReplicas - b.clusterReplicas || a.rank - b.rank;
}

/** How many of the chosen are in the same rack. */
function rackShares(candidate: Candidate, chosen: readonly Candidate[]): number {
  let shares = 0;
  for (const { rack } of chosen) if (rack === candidate.rack) shares++;
  return shares;
}
