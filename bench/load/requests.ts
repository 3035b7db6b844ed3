/** What a client process is asked, and what it answers. */

import type { LatencySummary } from '../../client/cli/load/latency-histogram.ts';
import type { Acks } from '../../client/index.ts';
import type { LatencyBucket } from '../harness/latency-buckets.ts';
import type { Tally } from './values.ts';

/** A topic of records of one size. */
export interface LoadTopic {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly valueBytes: number;
}

/** So many records, as fast as they are acknowledged. */
export interface ProduceRequest extends LoadTopic {
  readonly kind: 'produce';
  /** `batch`: `sendBatch`. `send`: a promise for each record. */
  readonly form: 'batch' | 'send';
  /** Under way at most: bytes of batches, or records that are sent one by one. */
  readonly inFlight: number;
  readonly count: number;
  readonly acks: Acks;
  /** Records have keys, which spread them over the partitions. */
  readonly isKeyed: boolean;
}

/** Open loop: so many records each second, whatever becomes of those before. */
export interface PacedRequest extends LoadTopic {
  readonly kind: 'paced';
  readonly acks: Acks;
  readonly recordsPerSecond: number;
  readonly count: number;
  /** The first of them are not measured. */
  readonly warmUp: number;
}

/** A consumer of its own group, from the start, until it has had so many records. */
export interface ConsumeRequest extends LoadTopic {
  readonly kind: 'consume';
  readonly group: string;
  readonly count: number;
  /** Records carry the time at which they were to be sent; the first `warmUp` are not measured. */
  readonly isTimed: boolean;
  readonly warmUp: number;
}

/** Everything that one replica of every partition holds. */
export interface VerifyRequest extends LoadTopic {
  readonly kind: 'verify';
  readonly node: number;
}

export type LoadRequest = ProduceRequest | PacedRequest | ConsumeRequest | VerifyRequest;

export interface LoadAnswer {
  readonly seconds: number;
  /** CPU seconds of this process meanwhile. */
  readonly cpuSeconds: number;
  /** What was acknowledged, or found. */
  readonly tally: Tally;
  readonly latency: LatencySummary | undefined;
  /** The same latencies as they were counted; of a paced load only. */
  readonly buckets?: readonly LatencyBucket[];
  /** How late the sender itself was: its part of the latencies; of a paced load only. */
  readonly lateness?: LatencySummary;
  /** Errors of sends, by what they say. */
  readonly faults: readonly string[];
}

/** What a load tells; the worker adds the CPU. */
export type LoadOutcome = Omit<LoadAnswer, 'cpuSeconds'> & { readonly cpu: NodeJS.CpuUsage };
