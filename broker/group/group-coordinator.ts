/**
 * Which groups this node coordinates: those of the partitions of the internal topic that it leads. A
 * shard begins when a leadership begins and ends with it; what it knew is in the log.
 */
import type { MetadataImage } from '../../proto/metadata/image.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import type { NodeId } from '../../proto/model/ids.ts';
import { partitionNumber } from '../../proto/model/ids.ts';
import type { LeaderEpoch } from '../../proto/model/offset.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import type { Logger } from '../../proto/ports/logger.ts';
import type { PartitionTable } from '../partitions/partition-table.ts';
import type { PartitionDriver } from '../replication/partition-driver.ts';
import { replicaGroupLog } from './group-log.ts';
import { GroupShard } from './group-shard.ts';
import { groupPartitionOf, groupsTopicOf } from './internal-topic.ts';

export interface GroupCoordinatorOptions {
  readonly nodeId: NodeId;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly image: () => MetadataImage;
  readonly table: () => PartitionTable | undefined;
  /** Calls back after each change of the image. */
  readonly watchImage: (callback: () => void) => () => void;
  /** Has the internal topic made. */
  readonly createTopic: () => Promise<void>;
  /** How long the offsets of a group without members are kept; negative: for ever. */
  readonly offsetsRetentionMs: number;
}

/** A node that coordinates a group, and where clients reach it. */
export interface CoordinatorAddress {
  readonly nodeId: NodeId;
  readonly host: string;
  readonly port: number;
}

interface Led {
  readonly epoch: LeaderEpoch;
  shard: GroupShard;
}

const tickMs = 200;
const reloadMs = 200;
/** How often offsets are looked at that nobody may need any more. */
const expiryCheckMs = 60_000;
/** How long the first use of a group waits for the internal topic. */
const createMsMax = 8_000;

export class GroupCoordinator {
  readonly #options: GroupCoordinatorOptions;
  readonly #led = new Map<PartitionDriver, Led>();
  readonly #watched = new Set<PartitionDriver>();
  readonly #stopWatching: () => void;
  #topics: MetadataImage['topics'] | undefined;
  #creating: Promise<void> | undefined;
  #isTicking = false;
  #expiredMs = 0;
  #isClosed = false;

  constructor(options: GroupCoordinatorOptions) {
    this.#options = options;
    this.#stopWatching = options.watchImage(() => this.#onImage());
  }

  /** The shard of a group. Throws NOT_COORDINATOR, with who is, or COORDINATOR_LOADING. */
  shardOf(group: string): GroupShard {
    const { image, table } = this.#options;
    const topic = groupsTopicOf(image());
    if (topic === undefined)
      throw new HighwaterError('NOT_COORDINATOR', 'no group was ever used in this cluster');
    const partition = partitionNumber(groupPartitionOf(group, topic));
    const replica = table()?.find(topic.topicId, partition);
    if (replica !== undefined) this.#look(replica);
    const led = replica === undefined ? undefined : this.#led.get(replica);
    if (led !== undefined) return led.shard;
    const address = this.#addressOf(group);
    throw new HighwaterError('NOT_COORDINATOR', `this broker does not coordinate ${group}`, {
      facts:
        address === undefined
          ? {}
          : { leader: address.nodeId, address: `${address.host}:${address.port}` },
    });
  }

  /** Which broker coordinates a group. The first question of a cluster has the internal topic made. */
  async find(group: string): Promise<CoordinatorAddress> {
    if (groupsTopicOf(this.#options.image()) === undefined) await this.#create();
    const address = this.#addressOf(group);
    if (address === undefined)
      throw new HighwaterError('LEADER_NOT_AVAILABLE', 'the group log has no leader at present');
    return address;
  }

  /** The shards that are ready here. */
  *shards(): IterableIterator<GroupShard> {
    for (const { shard } of this.#led.values()) if (shard.isReady) yield shard;
  }

  close(): void {
    this.#isClosed = true;
    this.#stopWatching();
    for (const { shard } of this.#led.values()) shard.close();
    this.#led.clear();
  }

  #addressOf(group: string): CoordinatorAddress | undefined {
    const image = this.#options.image();
    const topic = groupsTopicOf(image);
    if (topic === undefined) return undefined;
    const partition = partitionNumber(groupPartitionOf(group, topic));
    const leader = topic.partitions.get(partition)?.leader;
    const broker = leader === undefined ? undefined : image.brokers.get(leader);
    return broker === undefined
      ? undefined
      : { nodeId: broker.nodeId, host: broker.host, port: broker.port };
  }

  async #create(): Promise<void> {
    this.#creating ??= this.#options.createTopic().finally(() => {
      this.#creating = undefined;
    });
    await this.#creating;
    const { clock, image, watchImage } = this.#options;
    if (groupsTopicOf(image()) !== undefined) return;
    await new Promise<void>((resolve) => {
      const over = (): void => {
        timer.cancel();
        stop();
        resolve();
      };
      const timer = clock.after(createMsMax, over);
      const stop = watchImage(() => {
        if (groupsTopicOf(image()) !== undefined) over();
      });
    });
  }

  #onImage(): void {
    const { image, table } = this.#options;
    const { topics } = image();
    if (this.#isClosed || topics === this.#topics) return;
    const before = this.#topics;
    this.#topics = topics;
    // Replicas are opened behind the image.
    void table()
      ?.settled()
      .then(() => this.#scan());
    this.#scan();
    if (before === undefined || !hasOtherTopics(before, topics)) return;
    for (const { shard } of this.#led.values()) shard.topicsChanged();
  }

  #scan(): void {
    const { image, table } = this.#options;
    const topic = groupsTopicOf(image());
    if (topic === undefined || this.#isClosed) return;
    for (const partition of topic.partitions.keys()) {
      const replica = table()?.find(topic.topicId, partition);
      if (replica === undefined) continue;
      this.#watch(replica);
      this.#look(replica);
    }
  }

  /** Looks again whenever the replica's role or watermark moves. */
  #watch(replica: PartitionDriver): void {
    if (this.#watched.has(replica)) return;
    this.#watched.add(replica);
    const again = (): void => {
      if (this.#isClosed || replica.state.role.kind === 'stopped') this.#watched.delete(replica);
      else replica.onceMoved(again);
      this.#look(replica);
    };
    replica.onceMoved(again);
  }

  /** Begins or ends the shard of a replica as its role says. */
  #look(replica: PartitionDriver): void {
    const { role } = replica.state;
    const led = this.#led.get(replica);
    if (role.kind === 'leader' && led?.epoch === role.epoch) return;
    if (led !== undefined) {
      this.#led.delete(replica);
      led.shard.close();
    }
    if (role.kind === 'leader' && !this.#isClosed) this.#begin(replica, role.epoch);
  }

  #begin(replica: PartitionDriver, epoch: LeaderEpoch): void {
    const { clock, logger, image } = this.#options;
    const shard = new GroupShard({
      log: replicaGroupLog(replica, epoch, clock),
      clock,
      image,
      onEvent: ({ event, ...fields }) =>
        logger.info(event, 'The members of a group have changed.', fields),
      onFailed: (code) => this.#restart(replica, shard, code),
    });
    this.#led.set(replica, { epoch, shard });
    shard.load().then(
      () => {
        const { partition } = replica;
        if (shard.isReady)
          logger.info('groups-loaded', 'This node coordinates the groups of a partition.', {
            partition,
            epoch,
          });
      },
      (error: unknown) => this.#restart(replica, shard, HighwaterError.from(error).code),
    );
    this.#tickOn();
  }

  /** The shard is over and the node may still lead: what is in the log is read again. */
  #restart(replica: PartitionDriver, shard: GroupShard, code: string): void {
    const { clock, logger } = this.#options;
    shard.close();
    const { partition } = replica;
    if (this.#led.get(replica)?.shard !== shard) return;
    logger.warn('groups-reload', 'The groups of a partition are read again.', { partition, code });
    clock.after(reloadMs, () => {
      if (this.#led.get(replica)?.shard !== shard) return;
      this.#led.delete(replica);
      this.#look(replica);
    });
  }

  #tickOn(): void {
    if (this.#isTicking) return;
    this.#isTicking = true;
    this.#options.clock.after(tickMs, () => {
      this.#isTicking = false;
      for (const { shard } of this.#led.values()) shard.tick();
      this.#maybeExpire();
      if (this.#led.size > 0 && !this.#isClosed) this.#tickOn();
    });
  }

  #maybeExpire(): void {
    const { clock, offsetsRetentionMs } = this.#options;
    if (offsetsRetentionMs < 0) return;
    const nowMs = clock.now();
    if (nowMs - this.#expiredMs < Math.min(expiryCheckMs, offsetsRetentionMs / 4)) return;
    this.#expiredMs = nowMs;
    for (const { shard } of this.#led.values()) shard.expire(offsetsRetentionMs);
  }
}

/** True if topics came, went or grew; not if only their leaders changed. */
function hasOtherTopics(before: MetadataImage['topics'], after: MetadataImage['topics']): boolean {
  for (const change of after.changesSince(before))
    if (change.before?.partitions.size !== change.after?.partitions.size) return true;
  return false;
}
