/** Settings of a topic that its logs obey. They come from the metadata and may change at any time. */
import type { FlushMode } from '../../proto/model/acks.ts';
import type { CompactionSettings } from './compaction/core/compaction-plan.ts';
import type { RetentionSettings } from './core/retention-policy.ts';
import type { RollSettings } from './core/roll-policy.ts';

export interface LogConfig extends RollSettings, RetentionSettings {
  /** When a batch counts as stored: after fdatasync, or once it is in the page cache. */
  readonly flush: FlushMode;
  readonly producerExpiryMs: number;
  /** Set for a log in which only the newest record of each key is kept. */
  readonly compaction: CompactionConfig | undefined;
}

/** Settings of a compacted topic; sizes of segments are the log's. */
export type CompactionConfig = Omit<CompactionSettings, 'segmentBytes'>;

const day = 86_400_000;

/** The defaults of a topic. */
export const defaultLogConfig: LogConfig = {
  flush: 'ack',
  segmentBytes: 128 * 1024 * 1024,
  segmentMs: 7 * day,
  retentionMs: 7 * day,
  retentionBytes: -1,
  producerExpiryMs: day,
  compaction: undefined,
};

/** Bounds of one data directory, each with what happens when it is reached. */
export interface LogLimits {
  /** Free bytes below which appends are refused with DISK_FULL (rule B5.3). */
  readonly reserveBytes: number;
  /** Accepted and not yet stored bytes of one log; beyond it OVERLOADED. */
  readonly unstoredBytesPerLogMax: number;
  /** The same over all logs of the directory. */
  readonly unstoredBytesMax: number;
  /** Bytes of recent batches kept for readers at the tail; beyond it the oldest go. */
  readonly tailCacheBytes: number;
  /** Memory of finished reads that is kept for the next; beyond it the collector gets it. */
  readonly readBuffersBytesMax: number;
  /** Files kept open without being used; beyond it the least recently used is closed. */
  readonly idleHandlesMax: number;
  /** Producers remembered per log; beyond it the one whose last batch is oldest is forgotten. */
  readonly producersPerLogMax: number;
  /** Bytes of one write; what is left goes into the next, while more is accepted and acknowledged. */
  readonly writeBytesMax: number;
  /** Bytes of one journal file. */
  readonly journalFileBytes: number;
  /** Journal files; when all are in use a round flushes in place. */
  readonly journalFilesMax: number;
  /** How often changed logs are checkpointed. */
  readonly checkpointMs: number;
  /** How often retention looks at all logs. */
  readonly retentionCheckMs: number;
  /** How often logs are looked at for compaction. */
  readonly compactionCheckMs: number;
  /** Rate of compaction, over all logs. */
  readonly compactionBytesPerSecond: number;
  /** Memory for the keys of one pass of compaction; more keys take more passes. */
  readonly compactionMapBytesMax: number;
  /** Rate at which sealed segments are read again in search of damage; 0: never. */
  readonly scrubBytesPerSecond: number;
  /** A write or flush pending for so long is reported; for twice as long it is fatal (rule B5.9). */
  readonly stalledMs: number;
}

const MiB = 1024 * 1024;

export const defaultLogLimits: LogLimits = {
  reserveBytes: 256 * MiB,
  unstoredBytesPerLogMax: 32 * MiB,
  unstoredBytesMax: 128 * MiB,
  tailCacheBytes: 64 * MiB,
  readBuffersBytesMax: 8 * MiB,
  idleHandlesMax: 256,
  producersPerLogMax: 100_000,
  writeBytesMax: 2 * MiB,
  journalFileBytes: 64 * MiB,
  journalFilesMax: 4,
  checkpointMs: 5_000,
  retentionCheckMs: 300_000,
  compactionCheckMs: 15_000,
  compactionBytesPerSecond: 16 * MiB,
  compactionMapBytesMax: 8 * MiB,
  scrubBytesPerSecond: 2 * MiB,
  stalledMs: 10_000,
};
