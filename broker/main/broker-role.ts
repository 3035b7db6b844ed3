/**
 * The broker role of a node: registers, follows the metadata, hosts replicas and serves clients. Made
 * of parts that know nothing of each other; this file only joins them, in the order in which they may
 * begin.
 */
import type { MetadataImage } from '../../proto/metadata/image.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import type { IncarnationId, NodeId, StorageId } from '../../proto/model/ids.ts';
import { type BrokerEpoch, type Revision, revision } from '../../proto/model/offset.ts';
import type { LinkEndpoint, PeerAddress } from '../../proto/ports/link.ts';
import type { RpcServer } from '../../proto/ports/rpc.ts';
import type { Authorizer } from '../access/authorizer.ts';
import type { GroupCoordinator } from '../group/group-coordinator.ts';
import type { DataDirectory } from '../log/data-directory.ts';
import type { LogDirectory } from '../log/log-directory.ts';
import { ControllerLinks } from '../membership/controller-links.ts';
import { FollowedVoters, ownFirst } from '../membership/followed-voters.ts';
import { MembershipDriver } from '../membership/membership-driver.ts';
import { type ImageChange, MetadataFollower } from '../membership/metadata-follower.ts';
import { Traffic } from '../metrics/traffic.ts';
import { PartitionTable } from '../partitions/partition-table.ts';
import { ControllerConversation } from '../replication/controller-conversation.ts';
import { moveRules } from '../replication/move-pace.ts';
import type { PartitionDriver } from '../replication/partition-driver.ts';
import { ReplicationStreams } from '../replication/replication-streams.ts';
import type { Address } from './addresses.ts';
import { type BrokerMemory, readBrokerMemory, writeBrokerMemory } from './broker-state.ts';
import { serveClients } from './client-services.ts';
import { ImageSource } from './image-source.ts';
import { tellFenced, tellLease } from './incident-log.ts';
import type { Machine } from './machine.ts';
import { registrationOf } from './registration.ts';
import { ReplicaSurroundings } from './replica-surroundings.ts';

export interface BrokerRoleOptions {
  readonly machine: Machine;
  readonly nodeId: NodeId;
  readonly incarnationId: IncarnationId;
  readonly storageId: StorageId;
  readonly directory: DataDirectory;
  readonly logs: LogDirectory;
  readonly endpoint: LinkEndpoint;
  readonly controllers: readonly PeerAddress[];
  readonly authorizer: Authorizer;
  readonly rack: string;
  /** Where clients and nodes are told to come. */
  readonly peers: { readonly host: string; readonly port: number };
  readonly sessionMs: number;
  readonly heartbeatMs: number;
  readonly moveBytesPerSecond: number;
  readonly offsetsRetentionMs: number;
  onFailure(error: unknown): void;
}

export class BrokerRole {
  readonly #options: BrokerRoleOptions;
  readonly #links: ControllerLinks;
  readonly #membership: MembershipDriver;
  /** Where clients are told to come; known once the server listens. */
  #clients: Address = { host: '', port: 0 };
  readonly #metadata: MetadataFollower;
  readonly #streams: ReplicationStreams;
  readonly #conversation: ControllerConversation;
  readonly #surroundings: ReplicaSurroundings;
  readonly source: ImageSource;
  /** What clients have sent and read. */
  readonly traffic = new Traffic();
  #memory: BrokerMemory;
  table: PartitionTable | undefined;
  #groups: GroupCoordinator | undefined;
  #registered: Revision | undefined;
  readonly #voters: FollowedVoters;
  #isStarting = false;
  #isReady = false;

  constructor(options: BrokerRoleOptions) {
    this.#options = options;
    const { machine, endpoint, nodeId, controllers } = options;
    const { clock, logger } = machine;
    this.#memory = readBrokerMemory(options.logs);
    this.#links = new ControllerLinks({
      endpoint,
      controllers,
      clock,
      logger,
      onDown: (node) => this.#membership.linkDown(node),
      onActive: (node, term) => this.#membership.becameActive(node, term),
    });
    this.#membership = this.#createMembership();
    this.#metadata = new MetadataFollower({
      endpoint,
      controllers: ownFirst(controllers, nodeId),
      clock,
      logger,
      onImage: (image, by) => this.#onImage(image, by),
      onUnreadable: (reason) =>
        options.onFailure(new HighwaterError('UNSUPPORTED_VERSION', reason)),
    });
    this.#voters = new FollowedVoters({
      self: nodeId,
      controllers,
      links: this.#links,
      metadata: this.#metadata,
      membership: this.#membership,
    });
    this.source = new ImageSource(() => this.#metadata.image, this.#membership);
    this.#conversation = new ControllerConversation({
      nodeId,
      links: this.#links,
      clock,
      activeController: () => this.#membership.activeController,
      brokerEpoch: () => this.#membership.brokerEpoch,
    });
    this.#streams = new ReplicationStreams({
      endpoint,
      clock,
      logger,
      lookup: (topicId, partition) => this.table?.find(topicId, partition),
      addressOf: (node) => this.#addressOf(node),
      moves: moveRules(options.moveBytesPerSecond, () => this.#metadata.image),
    });
    this.#surroundings = new ReplicaSurroundings({
      clock,
      logger,
      streams: this.#streams,
      conversation: this.#conversation,
      judgeLease: () => this.#membership.judgeLease(),
      onFailure: (error) => options.onFailure(error),
    });
  }

  get image(): MetadataImage {
    return this.#metadata.image;
  }

  /** The replicas hosted here. */
  replicas(): Iterable<PartitionDriver> {
    return this.table?.drivers() ?? [];
  }

  /** Registers every public service. */
  serve(server: RpcServer): void {
    this.#groups = serveClients(server, {
      ...this.#options,
      source: this.source,
      links: this.#links,
      brokerEpoch: () => this.#membership.brokerEpoch,
      table: () => this.table,
      traffic: this.traffic,
    });
  }

  /** Begins to register and to follow; the server listens by now. */
  start(clients: Address): void {
    this.#clients = clients;
    this.#metadata.start();
    this.#membership.start();
  }

  /** Why this broker is not ready; empty when it serves. */
  readiness(): string[] {
    if (this.#membership.brokerEpoch === undefined)
      return ['not registered with the controllers yet'];
    if (!this.#isReady) return ['the metadata up to the registration is not applied yet'];
    if (this.#membership.isFenced) return ['fenced: the controllers have not let it serve yet'];
    return [];
  }

  /** Moves leaderships away first, then stops. Resolves to whether everything went in order. */
  async stop(graceMs: number): Promise<void> {
    await this.#membership.stop(graceMs);
    this.close();
    await this.table?.settled();
  }

  /** Ends at once, without a word to anybody. */
  close(): void {
    this.#groups?.close();
    this.table?.stop();
    this.#streams.close();
    this.#conversation.close();
    this.#metadata.close();
    this.#membership.close();
    this.#links.close();
  }

  get brokerEpoch(): BrokerEpoch | undefined {
    return this.#membership.brokerEpoch;
  }

  #createMembership(): MembershipDriver {
    const { machine, nodeId, sessionMs, heartbeatMs } = this.#options;
    const { clock, logger, bootId } = machine;
    return new MembershipDriver({
      links: this.#links,
      clock,
      logger,
      sessionMs,
      heartbeatMs,
      nodeId,
      registration: () => registrationOf(this.#options, this.#memory, this.#clients),
      // What is not applied to the replicas yet is not applied.
      appliedRevision: () => (this.#isReady ? this.#metadata.image.revision : revision(0)),
      storageStamp: () => this.#memory.stamp,
      listener: {
        onGranted: (brokerEpoch) => this.#remember({ ...this.#memory, brokerEpoch, bootId }),
        onRegistered: (_epoch, revision) => this.#onRegistered(revision),
        onLease: (isHeld) => this.#onLease(isHeld),
        onFenced: (isFenced) => tellFenced(logger, isFenced),
        onActiveController: () => {
          this.source.changed();
          this.#conversation.activeChanged();
        },
        onCommitted: (committed) => this.#metadata.committed(committed),
        onStorageStamp: (stamp) => {
          if (stamp > this.#memory.stamp)
            this.#remember({ ...this.#memory, stamp }).catch((error: unknown) =>
              this.#options.onFailure(error),
            );
        },
        onSuperseded: () =>
          this.#options.onFailure(
            new HighwaterError(
              'STALE_BROKER_EPOCH',
              'a later incarnation of this node is registered: this process ends',
            ),
          ),
      },
    });
  }

  /** What is told to the controllers is durable first. */
  async #remember(memory: BrokerMemory): Promise<void> {
    await writeBrokerMemory(this.#options.logs, memory);
    this.#memory = memory;
  }

  #onRegistered(revision: Revision): void {
    this.#registered = revision;
    const { logger } = this.#options.machine;
    logger.info('broker-registered', 'Registered with the controllers.', {
      brokerEpoch: this.#membership.brokerEpoch,
      revision,
    });
    this.#maybeStart(this.#metadata.image);
  }

  #onImage(image: MetadataImage, by: ImageChange): void {
    this.source.took(image, by);
    this.#voters.follow(image);
    if (this.#isReady) this.table?.apply(image);
    else this.#maybeStart(image);
    this.source.changed();
  }

  /** Nothing is replicated before the metadata up to the registration is applied (rule B3.12). */
  #maybeStart(image: MetadataImage): void {
    const brokerEpoch = this.#membership.brokerEpoch;
    if (
      this.#isStarting ||
      this.#registered === undefined ||
      brokerEpoch === undefined ||
      image.revision < this.#registered
    )
      return;
    this.#isStarting = true;
    const { nodeId, logs, machine } = this.#options;
    const table = new PartitionTable({
      nodeId,
      brokerEpoch,
      logs,
      node: this.#surroundings,
      logger: machine.logger,
      rules: machine.rules?.replica,
      isLeaseHeld: () => this.#membership.isLeaseHeld,
    });
    this.table = table;
    table.start(image).then(
      () => {
        this.#isReady = true;
        table.apply(this.#metadata.image);
        this.#membership.hurry();
      },
      (error: unknown) => this.#options.onFailure(error),
    );
  }

  #onLease(isHeld: boolean): void {
    tellLease(this.#options.machine.logger, isHeld);
    this.table?.leaseChanged(isHeld);
    this.source.changed();
  }

  #addressOf(node: NodeId): PeerAddress | undefined {
    const broker = this.#metadata.image.brokers.get(node);
    return broker === undefined
      ? undefined
      : { nodeId: node, host: broker.peerHost, port: broker.peerPort };
  }
}
