/**
 * Settings of a topic. Names and meanings are Kafka's where Kafka has them. Values travel and are kept
 * as texts; `readTopicSettings` is the one place that gives them types.
 */
import type { FlushMode } from './acks.ts';
import { limits } from './limits.ts';
import { refusalOf, type SettingRefusal, type SettingRow, unknownSetting } from './setting.ts';

const dayMs = 86_400_000;
const MiB = 1024 * 1024;
const forever = Number.MAX_SAFE_INTEGER;

function duration(name: string, min: number, value: number, meaning: string): SettingRow {
  return {
    name,
    form: { kind: 'integer', min, max: forever, unit: 'ms' },
    default: String(value),
    meaning,
  };
}

export const topicSettings: readonly SettingRow[] = [
  duration('retention.ms', -1, 7 * dayMs, 'Records older than this may be deleted; -1 keeps them.'),
  {
    name: 'retention.bytes',
    form: { kind: 'integer', min: -1, max: forever, unit: 'bytes' },
    default: '-1',
    meaning: 'The oldest records beyond this size of a partition may be deleted; -1 keeps them.',
  },
  {
    name: 'segment.bytes',
    form: { kind: 'integer', min: 4096, max: 2_147_483_647, unit: 'bytes' },
    default: String(128 * MiB),
    meaning: 'Size at which a segment file is sealed and the next one begun.',
  },
  duration('segment.ms', 1000, 7 * dayMs, 'Age at which a segment file is sealed.'),
  {
    name: 'max.message.bytes',
    form: { kind: 'integer', min: 1024, max: limits.batchBytesMax, unit: 'bytes' },
    default: String(MiB),
    meaning: 'Largest record batch, as it was sent.',
  },
  {
    name: 'flush',
    form: { kind: 'choice', values: ['ack', 'os'] },
    default: 'ack',
    meaning:
      'When bytes count as stored: after fdatasync (ack), or in the page cache (os), where a power loss counts as lost storage.',
  },
  {
    name: 'min.insync.replicas',
    form: { kind: 'integer', min: 1, max: limits.replicationFactorMax, unit: 'count' },
    default: '2',
    meaning:
      'Members that the in-sync set must have for acks=all; at most the replication factor, and 1 by default where there is one replica.',
  },
  {
    name: 'semi.sync.replicas',
    form: { kind: 'text', pattern: /^(majority|\d{1,2})$/, expected: 'majority, or 0 to 32' },
    default: 'majority',
    meaning:
      'k: replicas that have stored a record before acks=semi-sync is answered; 0 refuses the level.',
  },
  {
    name: 'semi.sync.timeout.ms',
    form: { kind: 'integer', min: 1, max: 3_600_000, unit: 'ms' },
    default: '10000',
    meaning: 'How long acks=semi-sync waits for k replicas.',
  },
  {
    name: 'semi.sync.on.timeout',
    form: { kind: 'choice', values: ['fail', 'degrade'] },
    default: 'fail',
    meaning: 'What happens then: the write fails, or is acknowledged as leader and says so.',
  },
  {
    name: 'replica.lag.time.max.ms',
    form: { kind: 'integer', min: 100, max: 3_600_000, unit: 'ms' },
    default: '5000',
    meaning: 'A follower further behind than this leaves the in-sync set.',
  },
  {
    name: 'unclean.recovery',
    form: { kind: 'choice', values: ['wait', 'longest'] },
    default: 'wait',
    meaning:
      'When only replicas with suspect storage are left: wait for another, or go on with the longest and say what may be missing.',
  },
  {
    name: 'cleanup.policy',
    form: { kind: 'choice', values: ['delete', 'compact', 'compact,delete', 'delete,compact'] },
    default: 'delete',
    meaning:
      'Whether old records are deleted by retention, or only the newest of each key is kept, or both.',
  },
  duration(
    'delete.retention.ms',
    0,
    dayMs,
    'How long compaction keeps the mark of a deleted key, which is a record without a value.',
  ),
  duration('min.compaction.lag.ms', 0, 0, 'Records younger than this are not compacted.'),
  {
    name: 'min.cleanable.dirty.ratio',
    form: { kind: 'text', pattern: /^(0(\.\d{1,4})?|1(\.0{1,4})?)$/, expected: '0 to 1' },
    default: '0.5',
    meaning: 'Share of bytes not compacted yet from which on a log is compacted.',
  },
];

/** The settings of one topic with their types. What depends on its replicas is resolved below. */
export interface TopicSettings {
  /** Undefined: no limit. */
  readonly retentionMs: number | undefined;
  /** Undefined: no limit. */
  readonly retentionBytes: number | undefined;
  readonly segmentBytes: number;
  readonly segmentMs: number;
  readonly maxMessageBytes: number;
  readonly flush: FlushMode;
  /** Undefined: not set; see `minInsyncReplicasOf`. */
  readonly minInsyncReplicas: number | undefined;
  /** See `semiSyncReplicasOf`. */
  readonly semiSyncReplicas: number | 'majority';
  readonly semiSyncTimeoutMs: number;
  readonly semiSyncOnTimeout: 'fail' | 'degrade';
  readonly lagTimeMaxMs: number;
  readonly uncleanRecovery: 'wait' | 'longest';
  /** Of each key only the newest record is kept. */
  readonly compacts: boolean;
  /** Retention by time and bytes applies. */
  readonly deletes: boolean;
  readonly dirtyRatioMin: number;
  readonly deleteRetentionMs: number;
  readonly minCompactionLagMs: number;
}

const byName = new Map(topicSettings.map((row) => [row.name, row]));
const names = topicSettings.map((row) => row.name);

/** Checks one setting by its row alone; undefined means that it is accepted. */
export function refusedTopicSetting(name: string, value: string): SettingRefusal | undefined {
  const row = byName.get(name);
  return row === undefined ? unknownSetting(name, value, names) : refusalOf(row, value);
}

/** Types for the texts. A name or value that this version does not accept leaves the default. */
export function readTopicSettings(config: ReadonlyMap<string, string>): TopicSettings {
  const text = (name: string): string => {
    const row = byName.get(name);
    const given = config.get(name);
    const isGood = row !== undefined && given !== undefined && refusalOf(row, given) === undefined;
    return isGood ? given : (row?.default ?? '');
  };
  const number = (name: string): number => Number(text(name));
  const limit = (name: string): number | undefined => (number(name) < 0 ? undefined : number(name));
  const k = text('semi.sync.replicas');
  return {
    retentionMs: limit('retention.ms'),
    retentionBytes: limit('retention.bytes'),
    segmentBytes: number('segment.bytes'),
    segmentMs: number('segment.ms'),
    maxMessageBytes: number('max.message.bytes'),
    flush: text('flush') === 'os' ? 'os' : 'ack',
    minInsyncReplicas: config.has('min.insync.replicas')
      ? number('min.insync.replicas')
      : undefined,
    semiSyncReplicas: k === 'majority' ? k : Number(k),
    semiSyncTimeoutMs: number('semi.sync.timeout.ms'),
    semiSyncOnTimeout: text('semi.sync.on.timeout') === 'degrade' ? 'degrade' : 'fail',
    lagTimeMaxMs: number('replica.lag.time.max.ms'),
    uncleanRecovery: text('unclean.recovery') === 'longest' ? 'longest' : 'wait',
    compacts: text('cleanup.policy').includes('compact'),
    deletes: text('cleanup.policy').includes('delete'),
    dirtyRatioMin: number('min.cleanable.dirty.ratio'),
    deleteRetentionMs: number('delete.retention.ms'),
    minCompactionLagMs: number('min.compaction.lag.ms'),
  };
}

/** The minimum for a partition of so many replicas: never more than there are (rule B3.19). */
export function minInsyncReplicasOf(settings: TopicSettings, replicas: number): number {
  return Math.min(settings.minInsyncReplicas ?? 2, replicas);
}

/** k for a partition of so many replicas. */
export function semiSyncReplicasOf(settings: TopicSettings, replicas: number): number {
  const { semiSyncReplicas } = settings;
  return semiSyncReplicas === 'majority'
    ? Math.floor(replicas / 2) + 1
    : Math.min(semiSyncReplicas, replicas);
}
