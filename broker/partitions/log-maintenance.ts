/**
 * What is done to the logs of all replicas hosted here, leaders and followers alike, beside
 * everything else: retention, compaction, and the search for damage. One log at a time, each at its
 * pace; a replica decides for itself, since all three only touch what lies below its watermark. And a
 * replica that a full disk has stopped is opened again once there is room.
 */
import type { Clock, Timer } from '../../proto/ports/clock.ts';
import type { Logger } from '../../proto/ports/logger.ts';
import { IoPace } from '../log/io-pace.ts';
import type { LogDirectory } from '../log/log-directory.ts';
import type { FoundDamage } from '../log/scrub/log-scrubber.ts';
import type { PartitionDriver } from '../replication/partition-driver.ts';

export interface LogMaintenanceOptions {
  readonly logs: LogDirectory;
  readonly clock: Clock;
  readonly logger: Logger;
  drivers(): Iterable<PartitionDriver>;
  /** Bad bytes were found and copied aside. */
  onDamage(driver: PartitionDriver, damage: FoundDamage): void;
  /** The log of a replica that had failed would take something again. */
  onRoom(driver: PartitionDriver): void;
}

/** What was done since the start, for metrics. */
export interface MaintenanceCounts {
  compactions: number;
  compactedBytes: number;
  recordsDropped: number;
  scrubbedBytes: number;
  damagesFound: number;
}

/** Pause between two rounds of the search: a node with little data does not read it all the time. */
const scrubPauseMs = 60_000;
/** How often a disk that was full is looked at, and what has to fit for a replica to take part again. */
const roomCheckMs = 1_000;
const roomBytes = 1024 * 1024;

export class LogMaintenance {
  readonly counts: MaintenanceCounts = {
    compactions: 0,
    compactedBytes: 0,
    recordsDropped: 0,
    scrubbedBytes: 0,
    damagesFound: 0,
  };
  readonly #options: LogMaintenanceOptions;
  readonly #compactionPace: IoPace;
  readonly #scrubPace: IoPace | undefined;
  readonly #timers = new Set<Timer>();
  #isStopped = false;

  constructor(options: LogMaintenanceOptions) {
    this.#options = options;
    const { compactionBytesPerSecond, scrubBytesPerSecond } = options.logs.limits;
    this.#compactionPace = new IoPace(options.clock, compactionBytesPerSecond);
    this.#scrubPace =
      scrubBytesPerSecond > 0 ? new IoPace(options.clock, scrubBytesPerSecond) : undefined;
  }

  start(): void {
    const { retentionCheckMs, compactionCheckMs } = this.#options.logs.limits;
    this.#every(retentionCheckMs, () => this.#each((driver) => this.#retain(driver)));
    this.#every(compactionCheckMs, () => this.#each((driver) => this.#compact(driver)));
    this.#every(roomCheckMs, () => this.#lookForRoom());
    const pace = this.#scrubPace;
    if (pace !== undefined) {
      this.#every(Math.min(scrubPauseMs, 10 * compactionCheckMs), () =>
        this.#each((driver) => this.#scrub(driver, pace)),
      );
    }
  }

  /** Ends what goes on within one read or write. */
  stop(): void {
    this.#isStopped = true;
    this.#compactionPace.stop();
    this.#scrubPace?.stop();
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }

  /** Again and again, with a pause between the end of one round and the beginning of the next. */
  #every(ms: number, round: () => Promise<void>): void {
    if (this.#isStopped) return;
    const timer = this.#options.clock.after(ms, () => {
      this.#timers.delete(timer);
      void round().finally(() => this.#every(ms, round));
    });
    this.#timers.add(timer);
  }

  /** The replicas at this moment that take part in anything. */
  #replicas(): PartitionDriver[] {
    return [...this.#options.drivers()].filter((driver) => driver.state.role.kind !== 'stopped');
  }

  /** Only a full disk passes: a log that failed otherwise refuses until the node is started again. */
  #lookForRoom(): Promise<void> {
    for (const driver of this.#options.drivers()) {
      const { role } = driver.state;
      if (role.kind !== 'stopped' || role.why !== 'log-failed') continue;
      if (driver.log.refusalOf(roomBytes) === undefined) this.#options.onRoom(driver);
    }
    return Promise.resolve();
  }

  /** One after the other; what fails in one log is told, and does not keep the others waiting. */
  async #each(work: (driver: PartitionDriver) => Promise<void>): Promise<void> {
    for (const driver of this.#replicas()) {
      if (this.#isStopped) return;
      await work(driver).catch((error: unknown) => {
        const { topicId, partition } = driver;
        const message = 'Work on a log in the background failed; it is tried again.';
        const facts = { topicId, partition, error: String(error) };
        this.#options.logger.warn('log-maintenance-failed', message, facts);
      });
    }
  }

  async #retain(driver: PartitionDriver): Promise<void> {
    if (driver.state.role.kind === 'stopped' || driver.state.log.isCutting) return;
    if (this.#options.logs.mayExpire(driver)) await driver.retain();
  }

  async #compact(driver: PartitionDriver): Promise<void> {
    const { logs, logger } = this.#options;
    const { topicId, partition } = driver;
    const mayDropMarks = isEverywhere(driver);
    if (!logs.mayCompact(driver, mayDropMarks)) return;
    const report = await logs.compact(driver, {
      pace: this.#compactionPace,
      mapBytesMax: logs.limits.compactionMapBytesMax,
      mayDropMarks,
    });
    if (report === undefined || report.kind === 'nothing-due') return;
    const { kind, passes, bytesBefore, bytesAfter, recordsDropped, damage } = report;
    this.counts.compactions += passes;
    this.counts.compactedBytes += bytesBefore;
    this.counts.recordsDropped += recordsDropped;
    const facts = { topicId, partition, outcome: kind, passes, bytesBefore, bytesAfter };
    const message = 'A log was compacted.';
    logger.info('log-compacted', message, { ...facts, recordsDropped, ...damage });
  }

  async #scrub(driver: PartitionDriver, pace: IoPace): Promise<void> {
    const report = await this.#options.logs.scrub(driver, pace);
    this.counts.scrubbedBytes += report?.bytes ?? 0;
    if (report?.damage === undefined) return;
    this.counts.damagesFound++;
    this.#options.onDamage(driver, report.damage);
  }
}

/** Every replica is in sync, so each has what lies below the watermark, deletions included. */
function isEverywhere(driver: PartitionDriver): boolean {
  const { metadata } = driver.state;
  if (metadata?.leader === undefined) return false;
  return metadata.replicas.every(({ nodeId }) => metadata.isr.includes(nodeId));
}
