/**
 * One node: a process, or part of one, with either or both roles. Starts from its directory and its
 * settings, ends in order or at the first failure of what it rests on.
 */
import { noCluster } from '../../proto/link/hello.ts';
import { createLinkEndpoint } from '../../proto/link/link-endpoint.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import {
  type ClusterId,
  type IncarnationId,
  incarnationId,
  type NodeId,
  nodeId,
  type StorageId,
} from '../../proto/model/ids.ts';
import type { NodeSettings } from '../../proto/model/node-settings.ts';
import type { KeyValueStore } from '../../proto/ports/key-value.ts';
import type { LinkEndpoint, PeerAddress } from '../../proto/ports/link.ts';
import type { RpcServer } from '../../proto/ports/rpc.ts';
import type { Authorizer } from '../access/authorizer.ts';
import { DataDirectory } from '../log/data-directory.ts';
import type { LogDirectory } from '../log/log-directory.ts';
import { chooseAuthorizer } from './access-choice.ts';
import { type Address, addressText, advertised, hostAndPort, parseQuorum } from './addresses.ts';
import { BrokerRole } from './broker-role.ts';
import { ControllerRole } from './controller-role.ts';
import { joinOrForm, readFormation, storageIdOf } from './formation.ts';
import type { Machine } from './machine.ts';
import { type NodeHttp, openNodeHttp } from './node-http.ts';
import { openStores } from './stores.ts';

export interface RunningNode {
  readonly nodeId: NodeId;
  readonly addresses: { readonly grpc: string; readonly peer: string; readonly http: string };
  readonly broker: BrokerRole | undefined;
  readonly controller: ControllerRole | undefined;
  /** Resolves with what failed, if something does. */
  readonly failed: Promise<unknown>;
  /** In order: leaderships move first, everything is flushed, the stop is marked as clean. */
  stop(): Promise<void>;
  /** At once, as a crash would; what was written stays. */
  abandon(): Promise<void>;
}

/** Starts a node; resolves once it listens, perhaps before it is ready. */
export async function startNode(
  settings: NodeSettings,
  machine: Machine,
  signal: AbortSignal,
): Promise<RunningNode> {
  const starting = new NodeStart(settings, machine, signal);
  try {
    return await starting.run();
  } catch (caught) {
    await starting.abandon();
    throw caught;
  }
}

class NodeStart {
  readonly #settings: NodeSettings;
  readonly #machine: Machine;
  readonly #signal: AbortSignal;
  readonly #incarnation: IncarnationId;
  readonly #failed: Promise<unknown>;
  #fail: (error: unknown) => void = () => undefined;
  #directory: DataDirectory | undefined;
  #meta: KeyValueStore | undefined;
  #index: KeyValueStore | undefined;
  #logs: LogDirectory | undefined;
  #endpoint: LinkEndpoint | undefined;
  #rpc: RpcServer | undefined;
  #http: NodeHttp | undefined;
  #controller: ControllerRole | undefined;
  #broker: BrokerRole | undefined;

  constructor(settings: NodeSettings, machine: Machine, signal: AbortSignal) {
    this.#settings = settings;
    this.#machine = machine;
    this.#signal = signal;
    this.#incarnation = incarnationId(machine.random.uuid());
    this.#failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
  }

  async run(): Promise<RunningNode> {
    const self = nodeId(this.#number('node-id'));
    const authorizer = chooseAuthorizer(this.#settings, this.#machine);
    const directory = await DataDirectory.open(
      this.#machine.fileSystem,
      this.#machine.absolutePath(this.#text('data')),
    );
    this.#directory = directory;
    directory.expect(undefined, self);
    const quorum = parseQuorum(this.#text('quorum'));
    const peerAt = hostAndPort(this.#text('peer-listen'));
    const peerPort = await this.#joinCluster(self, directory, quorum, peerAt);
    const identity = directory.identity;
    if (identity === undefined)
      throw new HighwaterError('CANCELLED', 'stopped before a cluster was found');
    const endpoint = this.#createEndpoint(self, identity.storageId, identity.clusterId);
    this.#endpoint = endpoint;
    const peers = advertised(this.#text('advertised-peer-listen'), peerAt, peerPort);
    const onFailure = (error: unknown): void => this.#fail(error);
    await this.#openStores(directory);
    if (this.#has('controller')) await this.#openController(self, identity, quorum, onFailure);
    const clients = this.#has('broker')
      ? await this.#openBroker({
          self,
          storageId: identity.storageId,
          directory,
          quorum,
          peers,
          authorizer,
          onFailure,
        })
      : undefined;
    await endpoint.listen(peerAt.host, peerPort);
    this.#http = await openNodeHttp({
      nodeId: self,
      settings: this.#settings,
      machine: this.#machine,
      endpoint,
      quorum,
      authorizer,
      broker: this.#broker,
      controller: this.#controller,
    });
    const http = this.#http.address;
    if (clients !== undefined) this.#broker?.start(clients);
    const roles = this.#text('roles');
    this.#machine.logger.info('node-started', 'The node listens.', { roles, clients, peers, http });
    return {
      nodeId: self,
      addresses: { grpc: addressText(clients), peer: addressText(peers), http },
      broker: this.#broker,
      controller: this.#controller,
      failed: this.#failed,
      stop: () => this.#stop(),
      abandon: () => this.abandon(),
    };
  }

  /** Lets go of everything, as far as it was begun. */
  async abandon(): Promise<void> {
    this.#broker?.close();
    this.#controller?.close();
    await this.#rpc?.stop(0);
    await this.#release();
  }

  async #stop(): Promise<void> {
    this.#machine.logger.info('node-stopping', 'Stopping: leaderships move away first.');
    const brokerEpoch = this.#broker?.brokerEpoch;
    await this.#broker?.stop(this.#number('shutdown-ms'));
    await this.#rpc?.stop(1_000);
    await this.#controller?.stop();
    await this.#logs?.close({ brokerEpoch });
    await this.#release();
    this.#machine.logger.info('node-stopped', 'Stopped in order.');
  }

  async #release(): Promise<void> {
    await this.#http?.close();
    await this.#endpoint?.close();
    await this.#meta?.close();
    await this.#index?.close();
    await this.#directory?.release();
  }

  /** Formats an empty directory; returns the port for peers, which stays the same from here on. */
  async #joinCluster(
    self: NodeId,
    directory: DataDirectory,
    quorum: readonly PeerAddress[],
    at: Address,
  ): Promise<number> {
    if (directory.identity !== undefined) return at.port;
    const { clock, random, logger } = this.#machine;
    const storageId = await storageIdOf(directory, random);
    const endpoint = this.#createEndpoint(self, storageId, noCluster);
    this.#endpoint = endpoint;
    const port = await endpoint.listen(at.host, at.port);
    const isVoter = this.#has('controller') && quorum.some((voter) => voter.nodeId === self);
    await joinOrForm({
      nodeId: self,
      isVoter,
      quorum,
      directory,
      endpoint,
      storageId,
      clock,
      random,
      logger,
      signal: this.#signal,
    });
    await endpoint.close();
    return port;
  }

  #createEndpoint(self: NodeId, storageId: StorageId, clusterId: ClusterId): LinkEndpoint {
    const { network, clock, random, logger } = this.#machine;
    const identity = {
      clusterId,
      nodeId: self,
      storageId,
      incarnationId: this.#incarnation,
      featureMin: 1,
      featureMax: 1,
    };
    return createLinkEndpoint({ identity, network, clock, random, logger });
  }

  async #openStores(directory: DataDirectory): Promise<void> {
    const stores = await openStores({
      directory,
      machine: this.#machine,
      settings: this.#settings,
      topicOf: (topicId) => this.#broker?.image.topics.get(topicId),
      onFatal: (caught) => this.#fail(caught),
    });
    this.#meta = stores.meta;
    this.#index = stores.index;
    this.#logs = stores.logs;
  }

  async #openController(
    self: NodeId,
    { clusterId, storageId }: { readonly clusterId: ClusterId; readonly storageId: StorageId },
    quorum: readonly PeerAddress[],
    onFailure: (error: unknown) => void,
  ): Promise<void> {
    const directory = this.#directory;
    const endpoint = this.#endpoint;
    const store = this.#meta;
    if (directory === undefined || endpoint === undefined || store === undefined) return;
    this.#controller = await ControllerRole.open({
      machine: this.#machine,
      nodeId: self,
      clusterId,
      storageId,
      store,
      endpoint,
      quorum,
      formation: await readFormation(directory),
      sessionMs: this.#number('session-ms'),
      electionMs: this.#number('election-ms'),
      onFailure,
    });
  }

  /** Serves clients; resolves to where they are told to come. */
  async #openBroker(given: {
    readonly self: NodeId;
    readonly storageId: StorageId;
    readonly directory: DataDirectory;
    readonly quorum: readonly PeerAddress[];
    readonly peers: Address;
    readonly authorizer: Authorizer;
    readonly onFailure: (error: unknown) => void;
  }): Promise<Address> {
    const { self, quorum, ...rest } = given;
    if (this.#logs === undefined || this.#endpoint === undefined)
      throw new HighwaterError('INTERNAL', 'a broker needs its logs');
    this.#broker = new BrokerRole({
      ...rest,
      machine: this.#machine,
      nodeId: self,
      incarnationId: this.#incarnation,
      logs: this.#logs,
      endpoint: this.#endpoint,
      controllers: quorum,
      rack: this.#text('rack'),
      sessionMs: this.#number('session-ms'),
      heartbeatMs: this.#number('heartbeat-ms'),
      moveBytesPerSecond: this.#number('reassignment-bytes-per-second'),
      offsetsRetentionMs: this.#number('offsets-retention-ms'),
    });
    const at = hostAndPort(this.#text('listen'));
    this.#rpc = this.#machine.createRpcServer();
    this.#broker.serve(this.#rpc);
    const port = await this.#rpc.listen(at.host, at.port);
    return advertised(this.#text('advertised-listen'), at, port);
  }

  #has(role: 'broker' | 'controller'): boolean {
    return this.#text('roles').includes(role);
  }

  #text(name: string): string {
    return this.#settings.get(name) ?? '';
  }

  #number(name: string): number {
    return Number(this.#text(name));
  }
}
