/**
 * The replicas that this broker hosts, kept equal to the metadata image.
 *
 * Committed facts reach a replica that is open in the same turn, since applying "no leader" is a
 * promise (rule 6.5). Logs are made and removed behind that, one change after the other. A log is
 * deleted only when the image shows that its topic was deleted or its replica moved away while this
 * broker watched; what was left by an earlier process and is not known is set aside (rule 6.14).
 */
import type { PartitionState } from '../../proto/generated/highwater/metadata/v1/records.ts';
import {
  type HostedPartition,
  type MetadataImage,
  partitionOf,
  partitionsOn,
  type TopicImage,
} from '../../proto/metadata/image.ts';
import type { PartitionNumber, TopicId } from '../../proto/model/ids.ts';
import type { Logger } from '../../proto/ports/logger.ts';
import type { LogDirectory } from '../log/log-directory.ts';
import { type LogKey, logName } from '../log/log-key.ts';
import type { PartitionLog } from '../log/partition-log.ts';
import type { FoundDamage } from '../log/scrub/log-scrubber.ts';
import type { PartitionDriver } from '../replication/partition-driver.ts';
import { LogMaintenance } from './log-maintenance.ts';
import { openReplica, type ReplicaHost } from './open-replica.ts';
import { brokersDiffer, logConfigOf, partitionMetadata } from './partition-facts.ts';
import { ReplicaRepair } from './replica-repair.ts';

export interface PartitionTableOptions extends ReplicaHost {
  readonly logs: LogDirectory;
  readonly logger: Logger;
}

export class PartitionTable {
  readonly #options: PartitionTableOptions;
  readonly #drivers = new Map<string, PartitionDriver>();
  #image: MetadataImage | undefined;
  readonly maintenance: LogMaintenance;
  readonly #repair: ReplicaRepair;
  /** Streams that replicas opened before they were taken out or moved away: leaders ignore lower ones. */
  readonly #streams = new Map<string, number>();
  /** Makes and removes logs, in the order of the changes that ask for it. */
  #work: Promise<void> = Promise.resolve();

  constructor(options: PartitionTableOptions) {
    this.#options = options;
    this.#repair = new ReplicaRepair(options.nodeId);
    this.maintenance = new LogMaintenance({
      logs: options.logs,
      clock: options.node.clock,
      logger: options.logger,
      drivers: () => this.#drivers.values(),
      onDamage: (driver, damage) => this.#enqueue(() => this.#damaged(driver, damage)),
      onRoom: (driver) => this.#enqueue(() => this.#reopen(driver)),
    });
  }

  find(topicId: TopicId, partition: PartitionNumber): PartitionDriver | undefined {
    return this.#drivers.get(logName({ topicId, partition }));
  }

  drivers(): IterableIterator<PartitionDriver> {
    return this.#drivers.values();
  }

  /** The image at or after this broker's registration: what the start has left is sorted out. */
  async start(image: MetadataImage): Promise<void> {
    this.#image = image;
    const { nodeId, logs } = this.#options;
    const wanted = Array.from(partitionsOn(image, nodeId));
    const names = new Set(
      wanted.map(({ topic, partition }) =>
        logName({ topicId: topic.topicId, partition: partition.partition }),
      ),
    );
    for (const key of [...logs.keys()]) if (!names.has(logName(key))) await this.#setAside(key);
    await this.#open(wanted, true);
    await this.settled();
    this.maintenance.start();
  }

  /** Brings everything hosted here up to the next image. */
  apply(image: MetadataImage): void {
    const before = this.#image;
    if (before === undefined) return;
    this.#image = image;
    const added: HostedPartition[] = [];
    for (const { before: was, after: topic } of image.topics.changesSince(before.topics)) {
      if (topic === undefined) this.#dropTopic(was);
      else if (was?.config !== topic.config) this.#configure(topic);
      if (topic !== undefined) this.#applyTopic(was, topic, added);
    }
    if (brokersDiffer(before, image)) this.#refreshAll();
    if (added.length > 0) this.#enqueue(() => this.#open(added, false));
  }

  /** The lease was granted or has run out. */
  leaseChanged(isHeld: boolean): void {
    for (const driver of this.#drivers.values()) driver.step({ kind: 'lease', isHeld });
  }

  /** Resolves when what the last image asked for has been made. */
  settled(): Promise<void> {
    return this.#work;
  }

  stop(): void {
    this.maintenance.stop();
    for (const driver of this.#drivers.values()) driver.step({ kind: 'stop' });
  }

  #applyTopic(was: TopicImage | undefined, topic: TopicImage, added: HostedPartition[]): void {
    const { nodeId } = this.#options;
    const gone: PartitionDriver[] = [];
    const changes =
      was === undefined
        ? topic.partitions.values().map((after) => ({ after }))
        : topic.partitions.changesSince(was.partitions);
    for (const { after: partition } of changes) {
      if (partition === undefined) continue;
      const driver = this.find(topic.topicId, partition.partition);
      const isHosted = partition.replicas.includes(nodeId);
      if (driver === undefined) {
        if (isHosted) added.push({ topic, partition });
      } else if (isHosted && !this.#mustBeCopiedAnew(driver, topic, partition)) {
        this.#tell(driver, topic, partition);
      } else if (isHosted) {
        this.#takeOut(driver);
        added.push({ topic, partition });
      } else {
        gone.push(driver);
      }
    }
    this.#drop(gone);
  }

  #tell(driver: PartitionDriver, topic: TopicImage, partition: PartitionState): void {
    if (this.#image === undefined) return;
    driver.step({ kind: 'metadata', metadata: partitionMetadata(this.#image, topic, partition) });
    driver.handOverTo(partition.successor);
    if (!this.#repair.isRefilled({ key: driver }, partition) || !driver.log.isDamaged) return;
    this.#enqueue(() => driver.log.clearDamage());
  }

  #mustBeCopiedAnew(
    driver: PartitionDriver,
    topic: TopicImage,
    partition: PartitionState,
  ): boolean {
    const log = topic.settings.compacts ? this.#options.logs.get(driver) : undefined;
    if (log === undefined) return false;
    return this.#repair.judge({ log, partition, isCompacted: true }) === 'cut';
  }

  /** The replica takes no part until it is opened again. */
  #takeOut(driver: PartitionDriver): void {
    this.#streams.set(logName(driver), driver.state.streams);
    driver.step({ kind: 'log-failed' });
    this.#drivers.delete(logName(driver));
  }

  /** Bad bytes were found. Where nobody else has the records, serving what is good is the best there is. */
  async #damaged(driver: PartitionDriver, damage: FoundDamage): Promise<void> {
    const { nodeId, logger } = this.#options;
    const { topicId, partition, state } = driver;
    const isr = state.metadata?.isr ?? [];
    const hasOthers = isr.some((node) => node !== nodeId) && state.metadata?.leader !== undefined;
    logger.error(
      'log-damaged',
      hasOthers
        ? 'A log has bad bytes; they are kept aside and copied from another replica.'
        : 'A log has bad bytes, and no other replica is in sync: it is served as far as it is good.',
      { topicId, partition, ...damage },
    );
    if (!hasOthers || this.find(topicId, partition) !== driver) return;
    await driver.log.markDamage(damage.at);
    this.#repair.damaged({ key: driver });
    await this.#openAgain(driver, false);
  }

  /**
   * The disk was full and has room. What the replica led it has forfeited, as if the process had begun
   * anew: it may have pushed what its log never took (rule 6.3).
   */
  async #reopen(driver: PartitionDriver): Promise<void> {
    const { topicId, partition } = driver;
    const log = this.#options.logs.get(driver);
    if (log === undefined || this.find(topicId, partition) !== driver) return;
    await log.flush().catch(() => undefined);
    // A replica begins with a log that is stored to its end; the next look may find it so.
    if (log.storedEnd !== log.logEndOffset) return;
    await this.#openAgain(driver, true);
    const fields = { topicId, partition, logEndOffset: log.logEndOffset };
    this.#options.logger.info('log-reopened', 'A log that had no room takes part again.', fields);
  }

  async #openAgain(driver: PartitionDriver, hasForfeited: boolean): Promise<void> {
    this.#takeOut(driver);
    const topic = this.#image?.topics.get(driver.topicId);
    const partition = topic?.partitions.get(driver.partition);
    if (topic !== undefined && partition !== undefined)
      await this.#open([{ topic, partition }], hasForfeited);
  }

  /** Brokers came, went or were fenced: who may be proposed for an in-sync set has changed. */
  #refreshAll(): void {
    for (const driver of this.#drivers.values()) {
      if (driver.state.role.kind !== 'leader' || this.#image === undefined) continue;
      const topic = this.#image.topics.get(driver.topicId);
      const partition = topic?.partitions.get(driver.partition);
      if (topic !== undefined && partition !== undefined) this.#tell(driver, topic, partition);
    }
  }

  #configure(topic: TopicImage): void {
    for (const partition of topic.partitions.values()) {
      const driver = this.find(topic.topicId, partition.partition);
      if (driver === undefined) continue;
      driver.log.configure(logConfigOf(topic));
      this.#tell(driver, topic, partition);
    }
  }

  #dropTopic(topic: TopicImage | undefined): void {
    if (topic === undefined) return;
    const { topicId, partitions } = topic;
    const keys = partitions.keys().map((partition) => ({ topicId, partition }));
    this.#drop(keys.flatMap((key) => this.#drivers.get(logName(key)) ?? []));
    for (const key of keys) this.#streams.delete(logName(key));
  }

  /** Committed records took the replicas away: their logs go. */
  #drop(drivers: readonly PartitionDriver[]): void {
    for (const driver of drivers) {
      driver.step({ kind: 'stop' });
      this.#streams.set(logName(driver), driver.state.streams);
      this.#drivers.delete(logName(driver));
    }
    if (drivers.length > 0) this.#enqueue(() => this.#options.logs.delete(drivers));
  }

  async #open(wanted: readonly HostedPartition[], isStart: boolean): Promise<void> {
    const { logs, nodeId } = this.#options;
    const keys = wanted.map(({ topic, partition }) => ({
      topicId: topic.topicId,
      partition: partition.partition,
    }));
    const missing = keys.filter((key) => logs.get(key) === undefined);
    if (missing.length > 0) await logs.create(missing);
    for (const key of keys) {
      const log = logs.get(key);
      // Between the decision and here the replica may have been taken away again.
      const topic = this.#image?.topics.get(key.topicId);
      const partition =
        this.#image === undefined
          ? undefined
          : partitionOf(this.#image, key.topicId, key.partition);
      if (log === undefined || topic === undefined) continue;
      if (partition?.replicas.includes(nodeId) !== true) continue;
      if (this.find(key.topicId, key.partition) !== undefined) continue;
      const replica = { log, partition, isCompacted: topic.settings.compacts };
      const verdict = this.#repair.judge(replica);
      if (verdict === 'wait') continue;
      if (verdict === 'cut') await this.#repair.cut(replica);
      this.#host(log, topic, partition, isStart);
    }
  }

  #host(log: PartitionLog, topic: TopicImage, partition: PartitionState, isStart: boolean): void {
    log.configure(logConfigOf(topic));
    this.#repair.hosted({ log, partition, isCompacted: topic.settings.compacts });
    const streams = this.#streams.get(logName(log.key)) ?? 0;
    const driver = openReplica(this.#options, log, { partition, isStart, streams });
    const { topicId } = topic;
    this.#drivers.set(logName({ topicId, partition: partition.partition }), driver);
    this.#tell(driver, topic, partition);
  }

  async #setAside(key: LogKey): Promise<void> {
    const path = await this.#options.logs.quarantine(key);
    this.#options.logger.warn(
      'log-set-aside',
      'A log that the metadata does not place here was set aside.',
      { log: logName(key), path },
    );
  }

  #enqueue(work: () => Promise<unknown>): void {
    this.#work = this.#work.then(work).then(
      () => undefined,
      (error: unknown) => this.#options.node.fail(error),
    );
  }
}
