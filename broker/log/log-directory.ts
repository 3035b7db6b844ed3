/**
 * All logs of one data directory. Opening it recovers the logs that were being written when the last
 * process ended; the others are not touched until somebody uses them. One timer runs while some log
 * is busy, and none while all are idle.
 *
 * A log is removed by `delete` alone, which carries out a committed delete record. A folder that no
 * record knows is a stray: it is reported and can be set aside, and is never removed (rule B3.17).
 */
import { HighwaterError } from '../../proto/model/errors.ts';
import { invariant } from '../../proto/model/invariant.ts';
import { type BrokerEpoch, type Offset, offset } from '../../proto/model/offset.ts';
import type { Timer } from '../../proto/ports/clock.ts';
import { BackgroundWork } from './background-work.ts';
import { checkpointAll } from './checkpoint-round.ts';
import {
  type CompactionReport,
  type CompactionRequest,
  compactLog,
  mayCompact,
} from './compaction/log-compactor.ts';
import type { IoPace } from './io-pace.ts';
import type { LogLimits } from './log-config.ts';
import type { LogContext } from './log-context.ts';
import { type LogKey, logName } from './log-key.ts';
import { LogLifecycle } from './log-lifecycle.ts';
import { freshRecord } from './log-record.ts';
import type { RecoveryReport } from './log-recovery.ts';
import { mayExpire } from './log-retention.ts';
import { journalFloor, type LogDirectoryOptions, startStorage } from './log-start.ts';
import { LogState } from './log-state.ts';
import { LogChanges } from './log-store.ts';
import { PartitionLog } from './partition-log.ts';
import { type ScrubReport, scrubLog } from './scrub/log-scrubber.ts';
import { sideBySide } from './side-by-side.ts';

/** Folders removed at a time. */
const removalsAtOnce = 8;

interface OpenLog {
  readonly life: LogLifecycle;
  readonly log: PartitionLog;
}

export class LogDirectory {
  /** What the start found out about each log that had to be recovered. */
  readonly recovered: readonly RecoveryReport[];
  /** Folders that look like logs and that no record knows. */
  readonly strays: readonly string[];
  readonly #options: LogDirectoryOptions;
  readonly #context: LogContext;
  readonly #logs = new Map<string, OpenLog>();
  /** Logs that are being removed or set aside: their records may still be there. */
  readonly #leaving = new Set<string>();
  /** Logs that are not idle, and so are looked at by the next checkpoint. */
  readonly #busy = new Set<LogLifecycle>();
  readonly #background = new BackgroundWork();
  #timer: Timer | undefined;
  #isClosed = false;

  private constructor(
    options: LogDirectoryOptions,
    context: LogContext,
    found: { readonly recovered: readonly RecoveryReport[]; readonly strays: readonly string[] },
  ) {
    this.#options = options;
    this.#context = context;
    this.recovered = found.recovered;
    this.strays = found.strays;
  }

  /** Recovers what needs it; afterwards every log can be used. */
  static async open(options: LogDirectoryOptions): Promise<LogDirectory> {
    const start = await startStorage(options);
    return new LogDirectory(options, start.context, start);
  }

  /** All logs, in order of topic id and partition. */
  keys(): Iterable<LogKey> {
    return this.#context.store.keys();
  }

  /** The log; undefined if there is none of that key. Nothing is read but its record. */
  get(key: LogKey): PartitionLog | undefined {
    invariant(!this.#isClosed, 'a closed directory is not used');
    const open = this.#logs.get(logName(key));
    if (open !== undefined) return open.log;
    if (this.#leaving.has(logName(key))) return undefined;
    const record = this.#context.store.record(key);
    if (record === undefined || record === 'damaged') return undefined;
    return this.#remember(key, new LogState(record)).log;
  }

  /** Makes logs that begin at offset 0, or at `start`; durable when it resolves. */
  async create(keys: readonly LogKey[], start: Offset = offset(0)): Promise<PartitionLog[]> {
    const changes = new LogChanges();
    const journalFrom = this.#context.journal.nextSequence;
    const states = keys.map((key) => {
      if (this.#leaving.has(logName(key)) || this.#context.store.record(key) !== undefined) {
        throw new HighwaterError('TOPIC_EXISTS', `There is a log ${logName(key)} already.`);
      }
      const record = freshRecord(start, this.#options.configOf(key).flush, journalFrom);
      changes.record(key, record);
      return { key, state: new LogState(record) };
    });
    await this.#context.store.commit(changes);
    return states.map(({ key, state }) => this.#remember(key, state).log);
  }

  /** Carries out committed delete records: records and files go, of a large topic in one commit. */
  async delete(keys: readonly LogKey[]): Promise<void> {
    const { store, indexes, fs, logsPath } = this.#context;
    const changes = new LogChanges();
    for (const key of keys) this.#leaving.add(logName(key));
    await this.#forget(keys);
    for (const key of keys) changes.remove(key);
    await store.commit(changes);
    await sideBySide(keys, removalsAtOnce, (key) => {
      indexes.remove(key, 0, Number.MAX_SAFE_INTEGER);
      return fs.removeTree(this.#folderOf(key));
    });
    await fs.syncDirectory(logsPath);
    for (const key of keys) this.#leaving.delete(logName(key));
  }

  /** Sets a log aside that should not be here. Nothing of it is removed; resolves to its new path. */
  async quarantine(key: LogKey): Promise<string> {
    const open = this.#logs.get(logName(key));
    await open?.life.checkpoint('idle');
    this.#leaving.add(logName(key));
    await this.#forget([key]);
    const { fs, clock, store } = this.#context;
    const aside = `${this.#options.directory.path}/quarantine`;
    const path = `${aside}/${logName(key)}-${clock.wall()}`;
    await fs.makeDirectory(aside);
    if ((await fs.stat(this.#folderOf(key))) !== undefined) {
      await fs.rename(this.#folderOf(key), path);
      await fs.syncDirectory(aside);
      await fs.syncDirectory(this.#context.logsPath);
    }
    await store.commit(new LogChanges().remove(key));
    this.#leaving.delete(logName(key));
    return path;
  }

  /** The stamp that the controllers last gave this storage; undefined if none was stored. */
  get storageStamp(): Buffer | undefined {
    return this.#context.store.nodeValue('stamp');
  }

  /** Durable when it resolves. */
  async renewStorageStamp(stamp: Buffer): Promise<void> {
    await this.#context.store.commit(new LogChanges().nodeValue('stamp', stamp));
  }

  /** Whether retention may have something to do: so an idle log is not opened for it. */
  mayExpire(key: LogKey): boolean {
    const { store, clock } = this.#context;
    const open = this.#logs.get(logName(key));
    const record = open?.life.retentionHint ?? store.record(key);
    if (record === undefined || record === 'damaged') return false;
    return mayExpire(open?.life.config ?? this.#options.configOf(key), record, clock.wall());
  }

  /** Bounds, and how fast and how often work in the background goes on. */
  get limits(): LogLimits {
    return this.#context.limits;
  }

  /** Logs that lack what they once had: recovery or a scrub found it, and nothing has refilled them. */
  damaged(): LogKey[] {
    const { store } = this.#context;
    return [...store.keys()].filter((key) => {
      const record = store.record(key);
      return record === 'damaged' || record?.damage !== undefined;
    });
  }

  /** Reads the sealed segments of a log again; undefined if there is no such log. */
  async scrub(key: LogKey, pace: IoPace): Promise<ScrubReport | undefined> {
    if (this.#isClosed || this.get(key) === undefined) return undefined;
    const life = this.#logs.get(logName(key))?.life;
    return life === undefined ? undefined : this.#background.run(pace, () => scrubLog(life, pace));
  }

  /** Compacts a log if that is due; undefined where nothing can be. One log at a time. */
  async compact(key: LogKey, request: CompactionRequest): Promise<CompactionReport | undefined> {
    const life = this.#compactable(key, request.mayDropMarks);
    if (life === undefined) return undefined;
    return this.#background.run(request.pace, () => compactLog(life, request));
  }

  /** Whether a pass over the log may find anything to do; cheap, since it is asked of every log. */
  mayCompact(key: LogKey, mayDropMarks: boolean): boolean {
    return this.#compactable(key, mayDropMarks) !== undefined;
  }

  /** Brings all records up to their files; what is quiet becomes idle. */
  checkpoint(): Promise<void> {
    return checkpointAll(this.#busy);
  }

  /**
   * Flushes and records everything, closes the files and marks the stop as clean. After a storage
   * error there is no mark, so that the next start recovers (rule B3.15).
   */
  async close(stop: { readonly brokerEpoch: BrokerEpoch | undefined }): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer?.cancel();
    const { store, handles, journal } = this.#context;
    await this.#background.close();
    for (const { life } of this.#logs.values()) await life.close();
    await journal.close();
    await handles.close();
    if (this.#context.fatal() !== undefined) return;
    await store.commit(journalFloor(journal.nextSequence));
    this.#context.watch.close();
    await this.#options.directory.markCleanStop(stop);
  }

  #folderOf(key: LogKey): string {
    return `${this.#context.logsPath}/${logName(key)}`;
  }

  #compactable(key: LogKey, mayDropMarks: boolean): LogLifecycle | undefined {
    if (this.#isClosed || this.get(key) === undefined) return undefined;
    const life = this.#logs.get(logName(key))?.life;
    return life !== undefined && mayCompact(life, mayDropMarks) ? life : undefined;
  }

  #remember(key: LogKey, state: LogState): OpenLog {
    const config = this.#options.configOf(key);
    const identity = { key, folder: this.#folderOf(key) };
    const life = new LogLifecycle(this.#context, identity, { state, config }, (busy) =>
      this.#isBusy(busy),
    );
    const open = { life, log: new PartitionLog(this.#context, life) };
    this.#logs.set(logName(key), open);
    return open;
  }

  async #forget(keys: readonly LogKey[]): Promise<void> {
    for (const key of keys) {
      const open = this.#logs.get(logName(key));
      this.#logs.delete(logName(key));
      if (open === undefined) continue;
      this.#busy.delete(open.life);
      await open.life.abandon();
    }
    await this.#context.handles.forgetFolders(new Set(keys.map((key) => this.#folderOf(key))));
  }

  #isBusy(life: LogLifecycle): void {
    this.#busy.add(life);
    if (this.#timer !== undefined || this.#isClosed) return;
    this.#timer = this.#context.clock.after(this.#context.limits.checkpointMs, () => {
      void this.checkpoint()
        .catch((caught: unknown) => this.#context.onFatal(caught))
        .finally(() => {
          this.#timer = undefined;
          const [next] = this.#busy;
          if (next !== undefined) this.#isBusy(next);
        });
    });
  }
}
