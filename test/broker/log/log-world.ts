/** A node's storage on a memory disk and virtual time: start, stop, kill and power loss. */

import { everyRule, type LogRules } from '../../../broker/log/core/rules.ts';
import { DataDirectory } from '../../../broker/log/data-directory.ts';
import { indexTables } from '../../../broker/log/index-store.ts';
import {
  defaultLogConfig,
  type LogConfig,
  type LogLimits,
} from '../../../broker/log/log-config.ts';
import { LogDirectory } from '../../../broker/log/log-directory.ts';
import { type LogKey, logName } from '../../../broker/log/log-key.ts';
import { logTables } from '../../../broker/log/log-store.ts';
import type { PartitionLog } from '../../../broker/log/partition-log.ts';
import {
  clusterId,
  nodeId,
  partitionNumber,
  storageId,
  topicId,
} from '../../../proto/model/ids.ts';
import { invariant } from '../../../proto/model/invariant.ts';
import { silentLogger } from '../../../proto/ports/logger.ts';
import { findNode } from '../../../proto/ports/memory/directory-tree.ts';
import { MemoryDisk } from '../../../proto/ports/memory/memory-disk.ts';
import type { CrashMode } from '../../../proto/ports/memory/memory-file.ts';
import { MemoryKeyValueStorage } from '../../../proto/ports/memory/memory-key-value.ts';
import type { SeededRandom } from '../../../proto/ports/memory/seeded-random.ts';
import type { VirtualClock } from '../../../proto/ports/memory/virtual-clock.ts';
import { VirtualTime } from '../../../proto/ports/memory/virtual-time.ts';
import { batch } from './batches.ts';

export const topic = topicId('00000000-0000-4000-8000-000000000001');

const identity = {
  clusterId: clusterId('00000000-0000-4000-8000-00000000000a'),
  nodeId: nodeId(1),
  storageId: storageId('00000000-0000-4000-8000-00000000000b'),
};

export function keyOf(partition: number): LogKey {
  return { topicId: topic, partition: partitionNumber(partition) };
}

export class LogWorld {
  readonly time = new VirtualTime();
  readonly disk = new MemoryDisk();
  readonly stores = new MemoryKeyValueStorage();
  config: LogConfig = defaultLogConfig;
  limits: Partial<LogLimits> = {};
  rules: LogRules = everyRule;
  fatal: unknown;
  stalledMs = 0;
  #clock: VirtualClock | undefined;
  #directory: LogDirectory | undefined;
  #isDead = false;

  get directory(): LogDirectory {
    invariant(this.#directory !== undefined, 'the world has been started');
    return this.#directory;
  }

  get clock(): VirtualClock {
    invariant(this.#clock !== undefined, 'the world has been started');
    return this.#clock;
  }

  /** Names of the files of a log. */
  files(partition = 0): Promise<string[]> {
    return this.disk.mount(this.clock).list(`/data/logs/${logName(keyOf(partition))}`);
  }

  /** Runs what the promise needs. */
  run<Value>(promise: Promise<Value>): Promise<Value> {
    return this.time.complete(promise, 60_000);
  }

  async start(): Promise<LogDirectory> {
    this.fatal = undefined;
    this.#isDead = false;
    this.#clock = this.time.clockFor('node');
    this.#directory = await this.run(this.#open(this.#clock));
    return this.#directory;
  }

  /** Begins a start and lets so many events of it happen; the caller ends the process. */
  async startAndDie(events: number): Promise<void> {
    this.#clock = this.time.clockFor('node');
    this.#open(this.#clock).catch(() => undefined);
    const last = this.time.executedCount + events;
    await this.time.runUntil(() => this.time.executedCount >= last, 1_000);
  }

  /** True if the journal holds any byte. */
  get usesJournal(): boolean {
    const journal = findNode(this.disk.tree.root, '/data/journal');
    return journal?.kind === 'directory' && journal.entries.size > 0;
  }

  async #open(clock: VirtualClock): Promise<LogDirectory> {
    const fs = this.disk.mount(clock);
    const opener = this.stores.mount(clock);
    const directory = await DataDirectory.open(fs, '/data', this.rules);
    if (directory.identity === undefined) await directory.format(identity);
    if (directory.cleanStop === undefined) await opener.wipe('/data/index');
    const meta = await opener.open('/data/meta', { durability: 'synced', tables: logTables });
    const index = await opener.open('/data/index', { durability: 'unsynced', tables: indexTables });
    return LogDirectory.open({
      directory,
      clock,
      logger: silentLogger,
      meta,
      index,
      limits: this.limits,
      rules: this.rules,
      configOf: () => this.config,
      onStalled: (ms) => {
        this.stalledMs = ms;
      },
      onFatal: (caught) => {
        // A process that is dead already has nothing to say.
        if (clock === this.#clock && !this.#isDead) this.fatal = caught;
      },
    });
  }

  async create(partition = 0): Promise<PartitionLog> {
    const [log] = await this.run(this.directory.create([keyOf(partition)]));
    invariant(log !== undefined, 'one log is made');
    return log;
  }

  log(partition = 0): PartitionLog {
    const log = this.directory.get(keyOf(partition));
    invariant(log !== undefined, `there is a log ${partition}`);
    return log;
  }

  /** Appends batches of one record, each in a write of its own, so that small segments end between them. */
  async appendSingly(log: PartitionLog, count: number, payload: number): Promise<void> {
    for (let at = 0; at < count; at++) {
      log.append([batch({ baseOffset: at, payload })]);
      await this.settle();
    }
  }

  /** A clean stop. */
  async stop(): Promise<void> {
    await this.run(this.directory.close({ brokerEpoch: undefined }));
    this.kill();
  }

  /** SIGKILL: the kernel keeps what was written. */
  kill(): void {
    this.#isDead = true;
    this.#clock?.stop();
    this.disk.killProcess();
    this.stores.killProcess();
  }

  /** Power loss: only what was synced is certain. */
  powerLoss(random: SeededRandom, mode: CrashMode = 'random'): void {
    this.#isDead = true;
    this.#clock?.stop();
    this.disk.crash(random, mode);
    this.stores.crash(random, mode === 'drop' ? 'drop' : 'random');
  }

  /** Lets everything that is under way happen. */
  settle(ms = 10): Promise<void> {
    return this.time.advance(ms);
  }
}
