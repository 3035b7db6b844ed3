import type { History } from './operation.ts';
import type { PartitionOrder } from './version-order.ts';

/** Something that must not be, with what shows it. */
export interface Anomaly {
  readonly name: AnomalyName;
  readonly partition: string;
  readonly evidence: string;
}

export type AnomalyName =
  | 'inconsistent-offsets'
  | 'duplicate'
  | 'aborted-read'
  | 'phantom-read'
  | 'lost-write'
  | 'unseen'
  | 'lost-on-node'
  | 'poll-skip'
  | 'nonmonotonic-poll'
  | 'nonmonotonic-send'
  | 'realtime-order'
  | 'double-leader';

/** A checker looks at one partition and names what is wrong with it. */
export type Checker = (input: CheckInput) => Anomaly[];

export interface CheckInput {
  readonly partition: string;
  readonly order: PartitionOrder;
  /** The operations of this partition only. */
  readonly history: History;
}
