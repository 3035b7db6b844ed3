/** What a user says about a consumer, and what a consumer tells of itself. */
import type { HighwaterError } from '../../proto/model/errors.ts';
import { limits } from '../../proto/model/limits.ts';
import {
  checkedChoice,
  checkedOptions,
  checkedTexts,
  checkNames,
  invalidRequest,
} from '../connection/checked-input.ts';

export interface ConsumerOptions {
  /** Members of one group share the partitions of its topics. */
  readonly group: string;
  /** Topics by name; those that do not exist yet are taken once they do. */
  readonly topics?: readonly string[];
  /** Topics by a regular expression over the whole name, resolved by the coordinator. */
  readonly topicPattern?: string;
  /** Where a partition begins that the group has committed nothing of; `latest` by default. */
  readonly from?: 'earliest' | 'latest';
  /** Commits by itself what the loop has finished: the records before the one being asked for. */
  readonly autoCommit?: boolean;
  readonly autoCommitIntervalMs?: number;
  /** What to do where the committed offset is no longer retained; `fail` by default. */
  readonly onOutOfRange?: 'fail' | 'earliest' | 'latest';
  /** Static membership: a restart within the session keeps the assignment. */
  readonly instance?: string;
  /** Of the first member of the group; `uniform` by default. */
  readonly assignor?: 'uniform' | 'range';
  /** How long the coordinator waits for a silent member; 15 s by default. */
  readonly sessionTimeoutMs?: number;
  /** `leader` by default; `nearest` prefers replicas in the own rack. */
  readonly readFrom?: 'leader' | 'nearest';
  readonly rack?: string;
  /** Bytes received ahead of the handler, all partitions together; 8 MiB by default. */
  readonly prefetchBytesMax?: number;
  /** A record that takes longer is reported, by `onEvent`; 30 s by default. */
  readonly slowHandlerMs?: number;
  /** How long a partition that is to move waits for the record under way; 60 s by default. */
  readonly releaseTimeoutMs?: number;
  /** How long `close` waits for handlers and for the last commits; 5 s by default. */
  readonly closeTimeoutMs?: number;
  /** What it throws is thrown to the loop or the run. */
  readonly onEvent?: (event: ConsumerEvent) => void;
  readonly signal?: AbortSignal;
}

/** One partition of one topic. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** What happens to a consumer. */
export type ConsumerEvent =
  /** These partitions are read from now on. */
  | { readonly kind: 'assigned'; readonly partitions: readonly TopicPartition[] }
  /** These were let go in order: what was handled of them is committed. */
  | { readonly kind: 'released'; readonly partitions: readonly TopicPartition[] }
  /** The session ended: others may have them already. */
  | { readonly kind: 'lost'; readonly partitions: readonly TopicPartition[] }
  | ({ readonly kind: 'slow-handler'; readonly elapsedMs: number } & TopicPartition)
  /** The coordinator is not reached, or moved; the consumer looks for it. */
  | { readonly kind: 'coordinator-lost'; readonly error: HighwaterError | undefined }
  /** An automatic commit failed for good, or a record went to the dead-letter topic. */
  | { readonly kind: 'commit-failed'; readonly error: HighwaterError }
  | ({
      readonly kind: 'dead-letter';
      readonly offset: bigint;
      readonly error: unknown;
    } & TopicPartition);

/** All options with their defaults. */
export interface ConsumerSettings
  extends Required<Omit<ConsumerOptions, 'signal' | 'rack' | 'onEvent'>> {
  readonly rack: string;
  readonly signal: AbortSignal | undefined;
  readonly onEvent: (event: ConsumerEvent) => void;
}

/** Checks what the user gave. */
export function consumerSettings(options: ConsumerOptions): ConsumerSettings {
  const { group, topicPattern = '' } = checkedOptions(options, 'consumer');
  const topics = checkedTexts(options.topics ?? [], 'topics');
  if (
    typeof group !== 'string' ||
    group === '' ||
    Buffer.byteLength(group) > limits.clientIdBytesMax
  )
    throw invalidRequest(`group: expected 1 to ${limits.clientIdBytesMax} bytes`);
  if (topics.length === 0 && topicPattern === '')
    throw invalidRequest('a consumer subscribes to topics or to a topicPattern');
  const settings: ConsumerSettings = {
    group,
    topics,
    topicPattern,
    from: checkedChoice(options.from ?? 'latest', ['earliest', 'latest'], 'from'),
    autoCommit: options.autoCommit ?? false,
    autoCommitIntervalMs: positive(options.autoCommitIntervalMs, 1_000, 'autoCommitIntervalMs'),
    onOutOfRange: checkedChoice(
      options.onOutOfRange ?? 'fail',
      ['fail', 'earliest', 'latest'],
      'onOutOfRange',
    ),
    instance: options.instance ?? '',
    assignor: checkedChoice(options.assignor ?? 'uniform', ['uniform', 'range'], 'assignor'),
    sessionTimeoutMs: positive(options.sessionTimeoutMs, 15_000, 'sessionTimeoutMs'),
    readFrom: checkedChoice(options.readFrom ?? 'leader', ['leader', 'nearest'], 'readFrom'),
    rack: options.rack ?? '',
    prefetchBytesMax: positive(options.prefetchBytesMax, 8 * 1024 * 1024, 'prefetchBytesMax'),
    slowHandlerMs: positive(options.slowHandlerMs, 30_000, 'slowHandlerMs'),
    releaseTimeoutMs: positive(options.releaseTimeoutMs, 60_000, 'releaseTimeoutMs'),
    closeTimeoutMs: positive(options.closeTimeoutMs, 5_000, 'closeTimeoutMs'),
    onEvent: options.onEvent ?? (() => undefined),
    signal: options.signal,
  };
  checkNames(options, settings, 'consumer');
  return settings;
}

function positive(value: number | undefined, fallback: number, what: string): number {
  if (value === undefined) return fallback;
  if (!Number.isFinite(value) || value <= 0)
    throw invalidRequest(`${what} ${value}: expected more than 0`);
  return value;
}
