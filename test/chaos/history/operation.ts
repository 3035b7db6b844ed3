/**
 * What clients did and were told, as it is judged afterwards. Values are unique within a partition. An
 * operation that ended in doubt is `info`: it may have happened or not, and its process goes on under a new
 * name, so that the order within a process stays sure.
 */

/** `fail` only where nothing was written for certain. */
export type Outcome = 'ok' | 'fail' | 'info';

export interface Send {
  readonly kind: 'send';
  readonly process: string;
  readonly partition: string;
  readonly value: string;
  readonly invokedMs: number;
  readonly completedMs: number;
  readonly outcome: Outcome;
  /** Told with the acknowledgement. */
  readonly offset?: number;
  readonly leaderEpoch?: number;
  readonly leader?: number;
}

/** One answer with consecutive records of one partition. */
export interface Poll {
  readonly kind: 'poll';
  readonly process: string;
  readonly partition: string;
  readonly invokedMs: number;
  readonly completedMs: number;
  readonly records: ReadonlyArray<{ readonly offset: number; readonly value: string }>;
  /** The replica that was read to its end after everything had healed; absent in between. */
  readonly finalOf?: number;
}

/** From here on the process reads the partition from another place. */
export interface Assign {
  readonly kind: 'assign';
  readonly process: string;
  readonly partition: string;
}

export type Operation = Send | Poll | Assign;

/** Operations in the order of their completion. */
export type History = readonly Operation[];
