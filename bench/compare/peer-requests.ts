/** What a client process of a peer is asked. */

export interface PeerProduce {
  readonly kind: 'produce';
  /** Brokers or servers. */
  readonly servers: readonly string[];
  readonly topic: string;
  readonly partitions: number;
  readonly valueBytes: number;
  readonly count: number;
  /** `batch`: sends of so many records each; `send`: one record each. */
  readonly form: 'batch' | 'send';
  /** Sends under way. */
  readonly inFlight: number;
}

/** A record every few milliseconds until told otherwise, to see how long a fault is felt. */
export interface PeerSteady {
  readonly kind: 'steady';
  readonly servers: readonly string[];
  readonly topic: string;
  readonly everyMs: number;
}

/** Ends the steady writer, and asks for its longest time without an acknowledgement. */
export interface PeerSteadyEnd {
  readonly kind: 'steady-end';
}

/** Acknowledged so far by the steady writer. */
export interface PeerSteadyCount {
  readonly kind: 'steady-count';
}

export type PeerRequest = PeerProduce | PeerSteady | PeerSteadyEnd | PeerSteadyCount;

export interface PeerAnswer {
  readonly seconds: number;
  readonly acknowledged: number;
  readonly longestGapMs: number;
}

export const noAnswer: PeerAnswer = { seconds: 0, acknowledged: 0, longestGapMs: 0 };
