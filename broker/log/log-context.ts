/** What all logs of one data directory share. Built once by the log directory. */
import type { Clock } from '../../proto/ports/clock.ts';
import type { FileSystem } from '../../proto/ports/file-system.ts';
import type { Logger } from '../../proto/ports/logger.ts';
import type { LogRules } from './core/rules.ts';
import type { DiskSpace } from './disk-space.ts';
import type { FlushJournal } from './flush-journal.ts';
import type { FlushScheduler } from './flush-scheduler.ts';
import type { HandlePool } from './handle-pool.ts';
import type { IndexStore } from './index-store.ts';
import type { IoWatch } from './io-watch.ts';
import type { LogLimits } from './log-config.ts';
import type { LogStore } from './log-store.ts';
import type { ReadBuffers } from './read-buffers.ts';
import type { TailCache } from './tail-cache.ts';

export interface LogContext {
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: LogLimits;
  readonly handles: HandlePool;
  readonly buffers: ReadBuffers;
  readonly store: LogStore;
  readonly indexes: IndexStore;
  readonly tails: TailCache;
  readonly space: DiskSpace;
  readonly flusher: FlushScheduler;
  readonly watch: IoWatch;
  readonly journal: FlushJournal;
  /** Accepted and not yet stored bytes over all logs. */
  readonly unstored: ByteBudget;
  /** Folder in which each log has its own. */
  readonly logsPath: string;
  /** Folder for bytes that were cut and are kept for repair. */
  readonly keptPath: string;
  /** Every rule holds, unless a test breaks one. */
  readonly rules: LogRules;
  /** An error after which nothing may be acknowledged any more: the node ends (rule B5.2). */
  onFatal(caught: unknown): void;
  /** The fatal error, once there was one. */
  fatal(): unknown;
}

/** A bound in bytes that several owners draw on. */
export class ByteBudget {
  readonly #max: number;
  #used = 0;
  /** Who waits until less than half is used. */
  #waiting: (() => void)[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  get used(): number {
    return this.#used;
  }

  get isHalfUsed(): boolean {
    return this.#used * 2 > this.#max;
  }

  hasRoom(bytes: number): boolean {
    return this.#used + bytes <= this.#max;
  }

  add(bytes: number): void {
    this.#used += bytes;
    if (this.#waiting.length === 0 || this.isHalfUsed) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  /** Resolves when at most half is used. */
  halfFree(): Promise<void> {
    if (!this.isHalfUsed) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
