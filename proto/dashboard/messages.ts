/**
 * What a node tells the browser that looks at its dashboard: one JSON message for each server-sent
 * event, a snapshot first and then what changed. Types only, so that the browser loads nothing for it.
 *
 * Invariants: (1) after a message with `isFull` the browser forgets everything older; (2) within a
 * stream, a topic keeps its `handle` and no other topic gets it; (3) a row replaces the row of the
 * same place.
 */

/** First on each stream. */
export interface HelloMessage {
  readonly kind: 'hello';
  /** Whose view this is. */
  readonly node: number;
  readonly clusterId: string;
}

export interface StateMessage {
  readonly kind: 'state';
  readonly isFull: boolean;
  /** Milliseconds since 1970, of the node. */
  readonly wallMs: number;
  readonly revision: number;
  /** The node has lost touch with the controllers: what it tells of them may be old. */
  readonly isStale: boolean;
  readonly controller: number | null;
  readonly term: number;
  /** All of them, each time: there are few. */
  readonly nodes: readonly NodeRow[];
  readonly topics: readonly TopicRow[];
  readonly goneTopics: readonly number[];
  readonly partitions: readonly PartitionRow[];
  readonly replicas: readonly ReplicaRow[];
}

export interface NodeRow {
  readonly id: number;
  readonly address: string;
  readonly rack: string;
  /** As the controllers have it; `controller` for a node that is no broker. */
  readonly state: 'active' | 'fenced' | 'stopping' | 'controller';
  readonly intent: string;
  readonly voter: 'active' | 'voter' | 'learner' | null;
  readonly leaders: number;
  readonly replicas: number;
  /** Milliseconds since the serving node heard its figures; null if it never did. */
  readonly heardMs: number | null;
  /** Where its own dashboard is; empty if it has none. */
  readonly http: string;
  readonly figures: NodeFigures | null;
}

/** Totals are since the process began. */
export interface NodeFigures {
  readonly isReady: boolean;
  readonly residentBytes: number;
  readonly loopDelayUs: number;
  readonly producedBytes: number;
  readonly producedRecords: number;
  readonly fetchedBytes: number;
  /** Produce requests by latency; see latencyBoundsMs. */
  readonly produceMs: readonly number[];
}

export interface TopicRow {
  readonly handle: number;
  readonly name: string;
  readonly isInternal: boolean;
  readonly minInsyncReplicas: number;
}

/** What the controllers have committed about a partition. */
export interface PartitionRow {
  readonly topic: number;
  readonly partition: number;
  readonly leader: number | null;
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  readonly elr: readonly number[];
  readonly semiSync: readonly number[];
  readonly suspects: readonly number[];
}

/**
 * What a replica tells of itself: topic, partition, node, log start, log end, stored end, watermark as
 * it knows it, and the epoch in which it leads or -1.
 */
export type ReplicaRow = readonly [
  topic: number,
  partition: number,
  node: number,
  logStart: number,
  logEnd: number,
  storedEnd: number,
  watermark: number,
  leadingEpoch: number,
];

/** From the flight recorder of the active controller. */
export interface EventsMessage {
  readonly kind: 'events';
  readonly events: readonly EventRow[];
}

export interface EventRow {
  /** Unique within one journal: each active controller begins its own. */
  readonly sequence: number;
  /** The term in which the journal was read. */
  readonly term: number;
  readonly wallMs: number;
  readonly kind: string;
  readonly subject: string;
  readonly reason: string;
  readonly evidence: Readonly<Record<string, string>>;
}

export type FeedMessage = HelloMessage | StateMessage | EventsMessage;

/** Answer of /api/records. */
export interface RecordsAnswer {
  readonly records: readonly RecordView[];
  /** The answer ended at its bound of records or bytes, not at the watermark. */
  readonly isCut: boolean;
}

export interface RecordView {
  readonly offset: string;
  readonly timestamp: number;
  readonly leaderEpoch: number;
  readonly key: FieldView | null;
  readonly value: FieldView | null;
  readonly headers: readonly (readonly [name: string, value: FieldView | null])[];
}

/** Text where the bytes are text, hexadecimal digits elsewhere; cut at a bound. */
export interface FieldView {
  readonly form: 'text' | 'hex';
  readonly shown: string;
  readonly bytes: number;
  readonly isCut: boolean;
}

/** Answer of /api/groups. */
export interface GroupsAnswer {
  readonly groups: readonly GroupView[];
}

export interface GroupView {
  readonly group: string;
  readonly state: string;
  readonly members: readonly { readonly member: string; readonly held: readonly string[] }[];
  readonly partitions: readonly {
    readonly topic: string;
    readonly partition: number;
    readonly member: string;
    readonly committed: string | null;
    readonly highWatermark: string | null;
    readonly lagRecords: string | null;
    readonly lagMs: number | null;
  }[];
}

/** What can be done to a node, where somebody runs the cluster who can do it. */
export type NodeAction = 'kill' | 'pause' | 'resume' | 'isolate' | 'slow' | 'heal' | 'restart';

/** Answer of /api/controls: who offers what, at present. */
export interface ControlsAnswer {
  readonly nodes: readonly ControlledNode[];
}

export interface ControlledNode {
  readonly id: number;
  /** What was done to it, in a word for people; `running` if nothing. */
  readonly condition: 'running' | 'killed' | 'paused' | 'isolated' | 'slowed' | 'starting';
  readonly offers: readonly NodeAction[];
}
