/**
 * The cluster as the page knows it: the fold of the messages of one stream. Rows are replaced, never
 * patched, so what is drawn is what a node told.
 */
import type {
  EventRow,
  FeedMessage,
  NodeRow,
  PartitionRow,
  StateMessage,
  TopicRow,
} from '../../../proto/dashboard/messages.ts';

export interface ReplicaProgress {
  readonly logStart: number;
  readonly logEnd: number;
  readonly storedEnd: number;
  readonly watermark: number;
  /** The epoch in which it leads, or -1. */
  readonly leadingEpoch: number;
}

export interface PartitionView {
  readonly key: string;
  readonly topic: TopicRow;
  row: PartitionRow;
  readonly replicas: Map<number, ReplicaProgress>;
}

export interface ClusterState {
  /** Whose view this is; 0 before a stream said so. */
  node: number;
  clusterId: string;
  wallMs: number;
  revision: number;
  isStale: boolean;
  controller: number | null;
  term: number;
  nodes: readonly NodeRow[];
  readonly topics: Map<number, TopicRow>;
  readonly partitions: Map<string, PartitionView>;
  /** All partitions by topic name and number; made anew when some came or went. */
  ordered: readonly PartitionView[];
  /** Oldest first; a bounded number. */
  events: readonly EventRow[];
  /** Grows whenever partitions came or went. */
  shape: number;
}

/** Events kept in the page; the oldest goes first. */
const eventsMax = 3_000;

export function emptyState(): ClusterState {
  return {
    node: 0,
    clusterId: '',
    wallMs: 0,
    revision: 0,
    isStale: false,
    controller: null,
    term: 0,
    nodes: [],
    topics: new Map(),
    partitions: new Map(),
    ordered: [],
    events: [],
    shape: 0,
  };
}

/** Folds one message in. */
export function applyMessage(state: ClusterState, message: FeedMessage): void {
  switch (message.kind) {
    case 'hello':
      state.node = message.node;
      state.clusterId = message.clusterId;
      return;
    case 'events':
      state.events = mergeEvents(state.events, message.events);
      return;
    case 'state':
      applyRows(state, message);
  }
}

function applyRows(state: ClusterState, message: StateMessage): void {
  const { wallMs, revision, isStale, controller, term, nodes } = message;
  Object.assign(state, { wallMs, revision, isStale, controller, term, nodes });
  let isReshaped = message.isFull || message.goneTopics.length > 0;
  if (message.isFull) {
    state.topics.clear();
    state.partitions.clear();
  }
  for (const topic of message.topics) state.topics.set(topic.handle, topic);
  for (const gone of message.goneTopics) {
    state.topics.delete(gone);
    for (const [key, view] of state.partitions)
      if (view.topic.handle === gone) state.partitions.delete(key);
  }
  for (const row of message.partitions) isReshaped = placePartition(state, row) || isReshaped;
  for (const [topic, partition, node, ...figures] of message.replicas) {
    const [logStart, logEnd, storedEnd, watermark, leadingEpoch] = figures;
    state.partitions
      .get(`${topic}/${partition}`)
      ?.replicas.set(node, { logStart, logEnd, storedEnd, watermark, leadingEpoch });
  }
  if (!isReshaped) return;
  state.shape++;
  state.ordered = [...state.partitions.values()].sort(byName);
}

/** Returns whether it was not there before. */
function placePartition(state: ClusterState, row: PartitionRow): boolean {
  const key = `${row.topic}/${row.partition}`;
  const known = state.partitions.get(key);
  if (known !== undefined) {
    known.row = row;
    return false;
  }
  const topic = state.topics.get(row.topic);
  if (topic === undefined) return false;
  state.partitions.set(key, { key, topic, row, replicas: new Map() });
  return true;
}

function byName(a: PartitionView, b: PartitionView): number {
  if (a.topic.isInternal !== b.topic.isInternal) return a.topic.isInternal ? 1 : -1;
  if (a.topic.name !== b.topic.name) return a.topic.name < b.topic.name ? -1 : 1;
  return a.row.partition - b.row.partition;
}

/**
 * What a browser has already is not added again. Standby controllers copy the journal, number and time
 * included, so an event that the next active one tells again has another term and is the same event.
 */
export function mergeEvents(
  had: readonly EventRow[],
  more: readonly EventRow[],
): readonly EventRow[] {
  const known = new Set(had.map(nameOf));
  const fresh = more.filter((event) => !known.has(nameOf(event)));
  if (fresh.length === 0) return had;
  return [...had, ...fresh].sort((a, b) => a.wallMs - b.wallMs).slice(-eventsMax);
}

function nameOf({ wallMs, sequence, kind, subject }: EventRow): string {
  return `${wallMs}/${sequence}/${kind}/${subject}`;
}
