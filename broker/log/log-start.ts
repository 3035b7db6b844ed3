/**
 * The start of a data directory's storage: the parts that all logs share are built, the journal is
 * redone, and the logs that were being written when the last process ended are recovered.
 */
import type { Clock } from '../../proto/ports/clock.ts';
import type { KeyValueStore } from '../../proto/ports/key-value.ts';
import type { Logger } from '../../proto/ports/logger.ts';
import { readInt64, writeInt64 } from '../../proto/wire/int64.ts';
import type { DataDirectory } from './data-directory.ts';
import { DiskSpace } from './disk-space.ts';
import { FlushJournal } from './flush-journal.ts';
import { FlushScheduler } from './flush-scheduler.ts';
import { HandlePool } from './handle-pool.ts';
import { IndexStore } from './index-store.ts';
import { type RedoResult, redoJournal } from './journal-redo.ts';
import { defaultLogLimits, type LogConfig, type LogLimits } from './log-config.ts';
import { ByteBudget, type LogContext } from './log-context.ts';
import { type LogKey, logName, parseLogName } from './log-key.ts';
import { type RecoveryReport, recoverLog } from './log-recovery.ts';
import { LogStore } from './log-store.ts';
import { TailCache } from './tail-cache.ts';

/** What a log directory is built on. The stores are opened below the data directory by the caller. */
export interface LogDirectoryOptions {
  readonly directory: DataDirectory;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A `synced` store with the tables `logTables`. */
  readonly meta: KeyValueStore;
  /** An `unsynced` store with the tables `indexTables`. */
  readonly index: KeyValueStore;
  readonly limits?: Partial<LogLimits>;
  /** Settings of the topic that a log belongs to; asked when a log is first used. */
  configOf(key: LogKey): LogConfig;
  /** Called once: storage has failed, nothing is acknowledged any more, the node must end. */
  onFatal(caught: unknown): void;
}

/** Logs recovered at once at start: enough to keep a disk busy, few enough for the thread pool. */
const recoveriesAtOnce = 4;

/** What a start results in. */
export interface StorageStart {
  readonly context: LogContext;
  readonly recovered: readonly RecoveryReport[];
  readonly strays: readonly string[];
}

/** Builds, redoes, recovers; afterwards every log can be used. */
export async function startStorage(options: LogDirectoryOptions): Promise<StorageStart> {
  const { fs, path, cleanStop } = options.directory;
  await fs.makeDirectory(`${path}/logs`);
  await fs.makeDirectory(`${path}/journal`);
  await fs.syncDirectory(path);

  const limits = { ...defaultLogLimits, ...options.limits };
  const handles = new HandlePool(fs, limits.idleHandlesMax);
  const store = new LogStore(options.meta);
  const left = store.nodeValue('journal');
  const redo =
    cleanStop !== undefined && left !== undefined
      ? { nextSequence: readInt64(left, 0) ?? 1, storedTo: new Map(), isDamaged: false }
      : await redoFrom(options, { handles, store });
  const context = await buildContext(options, { limits, handles, store, redo });
  const recovered = await recoverAll(context, redo);
  return { context, recovered, strays: await findStrays(context) };
}

/** The journal's next sequence as it is kept over a clean stop. */
export function encodeSequence(sequence: number): Buffer {
  const bytes = Buffer.alloc(8);
  writeInt64(bytes, sequence, 0);
  return bytes;
}

function redoFrom(
  options: LogDirectoryOptions,
  parts: { readonly handles: HandlePool; readonly store: LogStore },
): Promise<RedoResult> {
  const { fs, path } = options.directory;
  const active = new Set(parts.store.activeKeys().map(logName));
  return redoJournal({
    fs,
    handles: parts.handles,
    journalPath: `${path}/journal`,
    logsPath: `${path}/logs`,
    recordOf: (key) => {
      const record = active.has(logName(key)) ? parts.store.record(key) : undefined;
      return record === 'damaged' ? undefined : record;
    },
  });
}

async function buildContext(
  options: LogDirectoryOptions,
  parts: {
    readonly limits: LogLimits;
    readonly handles: HandlePool;
    readonly store: LogStore;
    readonly redo: RedoResult;
  },
): Promise<LogContext> {
  const { directory, clock, logger } = options;
  const { fs } = directory;
  const { limits, handles, store } = parts;
  let fatal: unknown;
  const onFatal = (caught: unknown): void => {
    if (fatal !== undefined) return;
    fatal = caught;
    logger.error('storage-failed', 'Storage has failed; the node acknowledges nothing any more.', {
      error: String(caught),
    });
    options.onFatal(caught);
  };
  const path = directory.path;
  const place = {
    fs,
    path: `${path}/journal`,
    fileBytes: limits.journalFileBytes,
    filesMax: limits.journalFilesMax,
    onFatal,
  };
  const journal = new FlushJournal(place, parts.redo.nextSequence);
  return {
    fs,
    clock,
    logger,
    limits,
    handles,
    store,
    indexes: new IndexStore(options.index, onFatal),
    tails: new TailCache(limits.tailCacheBytes),
    space: await DiskSpace.watch(fs, clock, { path, reserveBytes: limits.reserveBytes }),
    flusher: new FlushScheduler({ clock, journal, onFatal }),
    journal,
    unstored: new ByteBudget(limits.unstoredBytesMax),
    logsPath: `${path}/logs`,
    keptPath: `${path}/kept`,
    onFatal,
    fatal: () => fatal,
  };
}

async function recoverAll(context: LogContext, redo: RedoResult): Promise<RecoveryReport[]> {
  const waiting = context.store.activeKeys();
  const reports: RecoveryReport[] = [];
  const worker = async (): Promise<void> => {
    for (let key = waiting.shift(); key !== undefined; key = waiting.shift()) {
      const record = context.store.record(key);
      if (record === undefined) continue;
      const report = await recoverLog(context, key, {
        record,
        storedTo: redo.storedTo.get(logName(key)),
        isSuspect: redo.isDamaged,
      });
      reports.push(report);
      if (report.verdict === 'whole') continue;
      context.logger.warn('log-tail-cut', 'The end of a log was cut at start.', {
        log: logName(key),
        ...report,
      });
    }
  };
  await Promise.all(Array.from({ length: recoveriesAtOnce }, worker));
  return reports;
}

async function findStrays(context: LogContext): Promise<string[]> {
  const strays: string[] = [];
  for (const name of await context.fs.list(context.logsPath)) {
    const key = parseLogName(name);
    if (key !== undefined && context.store.record(key) === undefined) strays.push(name);
  }
  return strays;
}
