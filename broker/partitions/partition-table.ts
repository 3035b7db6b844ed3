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
  type MetadataImage,
  partitionOf,
  partitionsOn,
  type TopicImage,
} from '../../proto/metadata/image.ts';
import type { NodeId, PartitionNumber, TopicId } from '../../proto/model/ids.ts';
import type { BrokerEpoch } from '../../proto/model/offset.ts';
import type { Logger } from '../../proto/ports/logger.ts';
import type { LogDirectory } from '../log/log-directory.ts';
import { type LogKey, logName } from '../log/log-key.ts';
import type { PartitionLog } from '../log/partition-log.ts';
import { createPartition } from '../replication/core/partition.ts';
import type { Rules } from '../replication/core/rules.ts';
import { PartitionDriver } from '../replication/partition-driver.ts';
import { ReplicaLog } from '../replication/replica-log.ts';
import type { ReplicaNode } from '../replication/replica-node.ts';
import { logConfigOf, partitionMetadata } from './partition-facts.ts';

export interface PartitionTableOptions {
  readonly nodeId: NodeId;
  readonly brokerEpoch: BrokerEpoch;
  readonly logs: LogDirectory;
  readonly node: ReplicaNode;
  readonly logger: Logger;
  /** Undefined: every rule holds. */
  readonly rules: Rules | undefined;
  readonly isLeaseHeld: () => boolean;
}

export class PartitionTable {
  readonly #options: PartitionTableOptions;
  readonly #drivers = new Map<string, PartitionDriver>();
  #image: MetadataImage | undefined;
  /** Makes and removes logs, in the order of the changes that ask for it. */
  #work: Promise<void> = Promise.resolve();

  constructor(options: PartitionTableOptions) {
    this.#options = options;
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
  }

  /** Brings everything hosted here up to the next image. */
  apply(image: MetadataImage): void {
    const before = this.#image;
    if (before === undefined) return;
    this.#image = image;
    const added: { topic: TopicImage; partition: PartitionState }[] = [];
    const brokersChanged = before.brokers !== image.brokers;
    for (const { before: was, after: topic } of image.topics.changesSince(before.topics)) {
      if (topic === undefined) this.#dropTopic(was);
      else if (was?.config !== topic.config) this.#configure(topic);
      if (topic !== undefined) this.#applyTopic(was, topic, added);
    }
    if (brokersChanged) this.#refreshAll();
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
    for (const driver of this.#drivers.values()) driver.step({ kind: 'stop' });
  }

  #applyTopic(
    was: TopicImage | undefined,
    topic: TopicImage,
    added: { topic: TopicImage; partition: PartitionState }[],
  ): void {
    const { nodeId } = this.#options;
    const changes =
      was === undefined
        ? Array.from(topic.partitions.values(), (after) => ({ after }))
        : topic.partitions.changesSince(was.partitions);
    for (const { after: partition } of changes) {
      if (partition === undefined) continue;
      const driver = this.find(topic.topicId, partition.partition);
      const isHosted = partition.replicas.includes(nodeId);
      if (driver === undefined) {
        if (isHosted) added.push({ topic, partition });
      } else if (isHosted) {
        this.#tell(driver, topic, partition);
      } else {
        this.#drop(driver);
      }
    }
  }

  #tell(driver: PartitionDriver, topic: TopicImage, partition: PartitionState): void {
    if (this.#image === undefined) return;
    driver.step({ kind: 'metadata', metadata: partitionMetadata(this.#image, topic, partition) });
    driver.handOverTo(partition.successor);
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
    for (const partition of topic?.partitions.values() ?? []) {
      const driver =
        topic === undefined ? undefined : this.find(topic.topicId, partition.partition);
      if (driver !== undefined) this.#drop(driver);
    }
  }

  /** A committed record took the replica away: its log goes. */
  #drop(driver: PartitionDriver): void {
    driver.step({ kind: 'stop' });
    const { topicId, partition } = driver;
    this.#drivers.delete(logName({ topicId, partition }));
    this.#enqueue(() => this.#options.logs.delete({ topicId, partition }));
  }

  async #open(
    wanted: readonly { topic: TopicImage; partition: PartitionState }[],
    isStart: boolean,
  ): Promise<void> {
    const { logs } = this.#options;
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
      if (
        log === undefined ||
        topic === undefined ||
        partition?.replicas.includes(this.#options.nodeId) !== true
      )
        continue;
      // Changed again before its log was made, it was asked for twice.
      if (this.find(key.topicId, key.partition) !== undefined) continue;
      this.#host(log, topic, partition, isStart);
    }
  }

  #host(log: PartitionLog, topic: TopicImage, partition: PartitionState, isStart: boolean): void {
    const { nodeId, brokerEpoch, node, rules, isLeaseHeld } = this.#options;
    log.configure(logConfigOf(topic));
    const replicaLog = new ReplicaLog(log);
    const wasLeader = isStart && partition.leader === nodeId;
    const state = createPartition({
      self: nodeId,
      brokerEpoch,
      logStart: log.logStartOffset,
      logEnd: log.logEndOffset,
      history: log.epochs,
      watermark: log.highWatermark,
      verifiedEpoch: replicaLog.verifiedEpoch,
      isSuspect: partition.suspects.includes(nodeId) || replicaLog.isDamaged,
      // What an earlier incarnation led is not led on: it may have pushed what is not here (rule 6.3).
      forfeitedEpoch: wasLeader ? partition.leaderEpoch : undefined,
      isLeaseHeld: isLeaseHeld(),
      ...(rules === undefined ? {} : { rules }),
    });
    const { topicId } = topic;
    const driver = new PartitionDriver(
      { topicId, partition: partition.partition },
      replicaLog,
      state,
      node,
    );
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
