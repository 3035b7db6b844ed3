/**
 * The start of a data directory's storage: the parts that all logs share are built, the journal is
 * redone, and the logs that were being written when the last process ended are recovered.
 */
import { HighwaterError } from '../../proto/model/errors.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import { FileSystemError } from '../../proto/ports/file-system.ts';
import type { KeyValueStore } from '../../proto/ports/key-value.ts';
import type { Logger } from '../../proto/ports/logger.ts';
import { readInt64, writeInt64 } from '../../proto/wire/int64.ts';
import { everyRule, type LogRules } from './core/rules.ts';
import type { DataDirectory } from './data-directory.ts';
import { DiskSpace } from './disk-space.ts';
import { FlushJournal } from './flush-journal.ts';
import { FlushScheduler } from './flush-scheduler.ts';
import { HandlePool } from './handle-pool.ts';
import { IndexStore } from './index-store.ts';
import { IoWatch } from './io-watch.ts';
import { type RedoResult, redoJournal } from './journal-redo.ts';
import { defaultLogLimits, type LogConfig, type LogLimits } from './log-config.ts';
import { ByteBudget, type LogContext } from './log-context.ts';
import { type LogKey, logName, parseLogName } from './log-key.ts';
import { type RecoveryReport, recoverLog } from './log-recovery.ts';
import { LogChanges, LogStore } from './log-store.ts';
import { ReadBuffers } from './read-buffers.ts';
import { sideBySide } from './side-by-side.ts';
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
  /** Every rule holds, unless a test breaks one. */
  readonly rules?: LogRules;
  /** Settings of the topic that a log belongs to; asked when a log is first used. */
  configOf(key: LogKey): LogConfig;
  /** A disk operation takes too long: the node should fence itself before it is too late. */
  onStalled?(ms: number): void;
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

  const parts = prepare(options);
  const stored = parts.store.nodeValue(floorName);
  const floor = stored === undefined ? 1 : (readInt64(stored, 0) ?? 1);
  const redo =
    cleanStop === undefined
      ? await redoFrom(options, parts, floor)
      : { nextSequence: floor, storedTo: new Map(), isDamaged: false };
  const context = await buildContext(options, parts, redo);
  const recovered = await recoverAll(context, redo);
  // All that the journal held is in the segments: its files are written over from here on.
  await parts.store.commit(journalFloor(redo.nextSequence));
  return { context, recovered, strays: await findStrays(context) };
}

const floorName = 'journal-floor';

/** The commit that voids all blocks of the journal below a sequence. */
export function journalFloor(sequence: number): LogChanges {
  const bytes = Buffer.alloc(8);
  writeInt64(bytes, sequence, 0);
  return new LogChanges().nodeValue(floorName, bytes);
}

function redoFrom(
  options: LogDirectoryOptions,
  parts: StartParts,
  floor: number,
): Promise<RedoResult> {
  const { fs, path } = options.directory;
  const active = new Set(parts.store.activeKeys().map(logName));
  return redoJournal({
    fs,
    handles: parts.handles,
    journalPath: `${path}/journal`,
    logsPath: `${path}/logs`,
    rules: parts.rules,
    floor,
    recordOf: (key) => {
      const record = active.has(logName(key)) ? parts.store.record(key) : undefined;
      return record === 'damaged' ? undefined : record;
    },
  }).catch((caught: unknown) => {
    throw caught instanceof FileSystemError && caught.isFull ? noRoomToStart(path, caught) : caught;
  });
}

/** Nothing is lost by it: the journal stays until all that it holds is in the logs. */
function noRoomToStart(path: string, caught: FileSystemError): HighwaterError {
  const message = `The disk of ${path} is full: what the journal keeps cannot be written to its logs.`;
  return new HighwaterError('DISK_FULL', `${message} Make room and start again; nothing is lost.`, {
    cause: caught,
    facts: { path },
  });
}

interface StartParts {
  readonly limits: LogLimits;
  readonly rules: LogRules;
  readonly fatal: FatalLatch;
  readonly watch: IoWatch;
  readonly handles: HandlePool;
  readonly store: LogStore;
}

/** Keeps the first error after which nothing is acknowledged any more, and tells it once. */
class FatalLatch {
  error: unknown;
  readonly #options: LogDirectoryOptions;

  constructor(options: LogDirectoryOptions) {
    this.#options = options;
  }

  raise(caught: unknown): void {
    if (this.error !== undefined) return;
    this.error = caught;
    const message = 'Storage has failed; the node acknowledges nothing any more.';
    this.#options.logger.error('storage-failed', message, { error: String(caught) });
    this.#options.onFatal(caught);
  }
}

function prepare(options: LogDirectoryOptions): StartParts {
  const limits = { ...defaultLogLimits, ...options.limits };
  const rules = options.rules ?? everyRule;
  const fatal = new FatalLatch(options);
  const watch = new IoWatch({
    clock: options.clock,
    stalledMs: limits.stalledMs,
    onStalled: (ms) => {
      options.logger.warn('storage-stalled', 'The disk has not answered for a while.', { ms });
      options.onStalled?.(ms);
    },
    onDead: (ms) => {
      if (!rules.endsOnHang) return;
      fatal.raise(new HighwaterError('STORAGE_ERROR', `The disk has not answered for ${ms} ms.`));
    },
  });
  const handles = new HandlePool(options.directory.fs, limits.idleHandlesMax);
  return { limits, rules, fatal, watch, handles, store: new LogStore(options.meta, watch) };
}

async function buildContext(
  options: LogDirectoryOptions,
  parts: StartParts,
  redo: RedoResult,
): Promise<LogContext> {
  const { directory, clock, logger } = options;
  const { fs, path } = directory;
  const { limits, rules, fatal, watch } = parts;
  const onFatal = (caught: unknown): void => fatal.raise(caught);
  const place = {
    fs,
    path: `${path}/journal`,
    fileBytes: limits.journalFileBytes,
    filesMax: limits.journalFilesMax,
    rules,
    saveFloor: (sequence: number) => parts.store.commit(journalFloor(sequence)),
    onFatal,
  };
  const journal = new FlushJournal(place, redo.nextSequence);
  return {
    fs,
    clock,
    logger,
    limits,
    rules,
    watch,
    handles: parts.handles,
    buffers: new ReadBuffers(limits.readBuffersBytesMax),
    store: parts.store,
    indexes: new IndexStore(options.index, onFatal),
    tails: new TailCache(limits.tailCacheBytes),
    space: await DiskSpace.watch(fs, clock, { path, reserveBytes: limits.reserveBytes }),
    flusher: new FlushScheduler({ clock, journal, watch, onFatal }),
    journal,
    unstored: new ByteBudget(limits.unstoredBytesMax),
    logsPath: `${path}/logs`,
    keptPath: `${path}/kept`,
    onFatal,
    fatal: () => fatal.error,
  };
}

async function recoverAll(context: LogContext, redo: RedoResult): Promise<RecoveryReport[]> {
  const active = context.store.activeKeys();
  const names = new Set(active.map(logName));
  // A log at rest is looked at as well where its record is bad: without one it could not even be opened.
  const damaged = context.store.damagedKeys().filter((key) => !names.has(logName(key)));
  const reports: RecoveryReport[] = [];
  await sideBySide([...active, ...damaged], recoveriesAtOnce, async (key) => {
    const record = context.store.record(key);
    if (record === undefined) return;
    const report = await recoverLog(context, key, {
      record,
      storedTo: redo.storedTo.get(logName(key)),
      isSuspect: redo.isDamaged,
    });
    reports.push(report);
    if (report.verdict === 'whole') return;
    context.logger.warn('log-tail-cut', 'The end of a log was cut at start.', {
      log: logName(key),
      ...report,
    });
  });
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
