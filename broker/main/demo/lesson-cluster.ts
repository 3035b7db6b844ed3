/**
 * A cluster of processes as a lesson sees it: a client that reaches everybody, clients that reach one
 * node only, one topic, and who leads it.
 */

import { openClient } from '../../../client/client.ts';
import { type Client, connect } from '../../../client/index.ts';
import { nodeClock } from '../../../proto/ports/node/node-clock.ts';
import { nodeRandom } from '../../../proto/ports/node/node-random.ts';
import { GrpcConnector } from '../../../proto/rpc/grpc/connector.ts';
import { leaderWithIsr, type PartitionPlace, partitionInfo, until } from '../fleet/cluster-view.ts';
import type { ProcessCluster } from '../fleet/process-cluster.ts';
import type { ProcessNode } from '../fleet/process-node.ts';

/** Who is who while all is well. The controller leads nothing, so that a fault meets one role only. */
export interface Roles {
  readonly leader: ProcessNode;
  /** The active controller; it follows. */
  readonly controller: ProcessNode;
  /** Follows, and is not the active controller. */
  readonly follower: ProcessNode;
}

/** Nothing listens there: a connection to it is refused at once. */
const nowhere = '127.0.0.1:1';
const askMs = 1_000;

export class LessonCluster {
  readonly processes: ProcessCluster;
  readonly client: Client;
  readonly place: PartitionPlace = { topic: 'orders', partition: 0 };
  readonly #clients: Client[] = [];

  private constructor(processes: ProcessCluster, client: Client) {
    this.processes = processes;
    this.client = client;
  }

  static async open(processes: ProcessCluster): Promise<LessonCluster> {
    return new LessonCluster(processes, await connect({ brokers: processes.brokers }));
  }

  node(id: number): ProcessNode {
    return this.processes.node(id);
  }

  /** The nodes that are brokers. */
  get brokers(): readonly ProcessNode[] {
    const { nodes, brokers } = this.processes;
    return nodes.slice(0, brokers.length);
  }

  /** The numbers of all brokers but this one. */
  othersThan(id: number): number[] {
    return this.brokers.map((node) => node.id).filter((other) => other !== id);
  }

  /** Creates the topic of the lesson: one partition, three replicas, if nothing else is said. */
  async createTopic(
    config: Readonly<Record<string, string>> = {},
    shape: { readonly partitions?: number; readonly replicationFactor?: number } = {},
  ): Promise<void> {
    const { partitions = 1, replicationFactor = 3 } = shape;
    await this.client.admin.createTopic({
      name: this.place.topic,
      partitions,
      replicationFactor,
      config,
    });
  }

  /** The leader, once there is one and so many are in sync. */
  async leader(isrSize = 3): Promise<ProcessNode> {
    return this.node(await leaderWithIsr(this.client, this.place, isrSize));
  }

  /** Moves the lead away from the active controller, if it is there. */
  async roles(): Promise<Roles> {
    const controller = await this.activeController();
    await leaderWithIsr(this.client, this.place, 3);
    let { leader } = await partitionInfo(this.client, this.place);
    if (leader === controller) {
      const [next] = this.othersThan(controller);
      await this.client.admin.elect(this.place, next === undefined ? {} : { leader: next });
      ({ leader } = await until(
        () => partitionInfo(this.client, this.place),
        (info) => info.leader === next,
        `node ${next ?? 0} leads`,
      ));
    }
    const [follower = 0] = this.othersThan(leader ?? 0).filter((id) => id !== controller);
    return {
      leader: this.node(leader ?? 0),
      controller: this.node(controller),
      follower: this.node(follower),
    };
  }

  async activeController(): Promise<number> {
    const { controller } = await until(
      () => this.client.admin.describeCluster({ timeoutMs: askMs }),
      (cluster) => cluster.controller !== undefined,
      'an active controller',
    );
    return controller ?? 0;
  }

  /** A client that another side of a cut has: it reaches these nodes and nobody else. */
  clientOf(...nodes: readonly ProcessNode[]): Promise<Client> {
    const brokers = nodes.map(({ grpc }) => grpc);
    return this.clientThrough(
      (address) => (brokers.includes(address) ? address : nowhere),
      brokers,
    );
  }

  /** A client whose connections go where `route` says. */
  async clientThrough(
    route: (address: string, purpose: string) => string,
    brokers: readonly string[] = this.processes.brokers,
  ): Promise<Client> {
    const real = new GrpcConnector({ clock: nodeClock });
    const connector = {
      connect: (address: string, purpose: string) => real.connect(route(address, purpose), purpose),
    };
    const client = await openClient(
      { clock: nodeClock, random: nodeRandom, connector },
      { brokers, connectTimeoutMs: 5_000 },
    );
    this.#clients.push(client);
    return client;
  }

  /** Closes the clients. */
  async close(): Promise<void> {
    await Promise.all([this.client, ...this.#clients].map((client) => client.close()));
  }
}
