/** The nodes of one run with the networks between them, and questions about all of them together. */

import type { Machine, NodeRules } from '../../../broker/main/machine.ts';
import type { PartitionDriver } from '../../../broker/replication/partition-driver.ts';
import type { ClientMachine } from '../../../client/connection/broker-channels.ts';
import type { MetadataImage, TopicImage } from '../../../proto/metadata/image.ts';
import { emptyImage } from '../../../proto/metadata/image.ts';
import type { PartitionState } from '../../../proto/metadata/records.ts';
import type { VirtualClock } from '../../../proto/ports/memory/virtual-clock.ts';
import { MemoryRpcNetwork } from '../../../proto/rpc/memory/memory-rpc-network.ts';
import type { World } from '../world.ts';
import type { ClusterSwarm } from './cluster-swarm.ts';
import { SimNode } from './sim-node.ts';

export interface PlacedPartition {
  readonly topic: TopicImage;
  readonly state: PartitionState;
}

export class SimCluster {
  readonly world: World;
  readonly swarm: ClusterSwarm;
  readonly nodes: readonly SimNode[];
  readonly rpc: MemoryRpcNetwork;
  readonly #clientClocks = new Map<string, VirtualClock>();

  constructor(world: World, swarm: ClusterSwarm, rules?: NodeRules) {
    this.world = world;
    this.swarm = swarm;
    const delays = world.random.fork('rpc');
    const { latencyMs, jitterMs } = swarm;
    world.network.setDefaultDelay({ latencyMs, jitterMs });
    this.rpc = new MemoryRpcNetwork({
      latencyMs: () => latencyMs + (jitterMs * delays.below(1024)) / 1024,
    });
    const quorum = swarm.roles
      .flatMap((roles, index) =>
        roles.includes('controller') ? [`${index + 1}@host-${index + 1}:9093`] : [],
      )
      .join(',');
    const skews = world.random.fork('skew');
    for (const bound of Object.keys(swarm.bounds ?? {})) world.reach(`tight ${bound}`);
    this.nodes = swarm.roles.map((roles, index) => {
      const rate = swarm.hasSkew ? 0.99 + skews.below(21) / 1000 : 1;
      const wallSkewMs = swarm.hasSkew ? skews.below(60_000) - 30_000 : 0;
      return new SimNode(world, this.rpc, {
        id: index + 1,
        flushMs: swarm.flushMs,
        crashMode: swarm.crashMode,
        rules,
        logLimits: swarm.bounds,
        clockRate: rate,
        wallSkewMs,
        settings: new Map([
          ['roles', roles],
          ['quorum', quorum],
          ['session-ms', String(swarm.sessionMs)],
          ['heartbeat-ms', String(swarm.heartbeatMs)],
          ['election-ms', String(swarm.electionMs)],
          ...(swarm.compacted === undefined
            ? []
            : [['cleaner-check-ms', String(swarm.compacted.checkMs)] as const]),
        ]),
      });
    });
  }

  get brokers(): readonly SimNode[] {
    return this.nodes.filter((node) => node.isBroker);
  }

  /** Where clients find brokers. */
  get addresses(): readonly string[] {
    return this.brokers.map((node) => `${node.host}:9092`);
  }

  node(id: number): SimNode | undefined {
    return this.nodes[id - 1];
  }

  /** The machine of one more client. */
  clientMachine(name: string): ClientMachine {
    const random: Machine['random'] = this.world.random.fork(name);
    const clock = this.world.time.clockFor(name);
    this.#clientClocks.set(name, clock);
    return { clock, random, connector: this.rpc.host(name, clock).connector };
  }

  get clientHosts(): readonly string[] {
    return [...this.#clientClocks.keys()];
  }

  /** A client's process is killed; its connections are closed by its machine. */
  crashClient(name: string): void {
    this.#clientClocks.get(name)?.stop();
    this.#clientClocks.delete(name);
    this.rpc.crash(name, true);
  }

  /** The newest image that any node has applied. */
  get image(): MetadataImage {
    let newest = emptyImage;
    for (const { running } of this.nodes) {
      for (const image of [running?.controller?.image, running?.broker?.image])
        if (image !== undefined && image.revision > newest.revision) newest = image;
    }
    return newest;
  }

  partitions(): readonly PlacedPartition[] {
    const placed: PlacedPartition[] = [];
    this.image.topics.forEach((topic) => {
      topic.partitions.forEach((state) => placed.push({ topic, state }));
    });
    return placed;
  }

  /** The replica of a partition on a node, while its process runs. */
  replica(node: number, topicId: string, partition: number): PartitionDriver | undefined {
    for (const driver of this.node(node)?.running?.broker?.replicas() ?? [])
      if (driver.topicId === topicId && driver.partition === partition) return driver;
    return undefined;
  }

  /**
   * Nobody is left who surely has everything, so it waits for an operator: no member of the sets, or as
   * many suspects as may be the only ones with a record of `semi-sync`. Beyond the budget one is enough.
   */
  hasHalted({ leader, isr, elr, ...state }: PartitionState): boolean {
    if (leader !== undefined) return false;
    const { semiSyncMembers, semiSyncReplicas, suspects } = state;
    const lost = semiSyncMembers.filter((member) => suspects.includes(member)).length;
    const lostMax = this.swarm.isOverBudget ? 0 : Math.max(1, semiSyncReplicas) - 1;
    return (isr.length === 0 && elr.length === 0) || lost > lostMax;
  }

  /**
   * Every replica has what every other has, as far as the metadata tells; and it tells of the brokers that
   * run: without an active controller nobody has noticed yet that a disk is another one.
   */
  get isWhole(): boolean {
    const partitions = this.partitions();
    return (
      partitions.length > 0 &&
      this.nodes.every((node) => node.running !== undefined) &&
      this.brokers.every((node) => this.#isRegistered(node)) &&
      partitions.every(({ state }) => isHealthy(state))
    );
  }

  #isRegistered({ id, running }: SimNode): boolean {
    const epoch = running?.broker?.brokerEpoch;
    return epoch !== undefined && this.image.brokers.get(id)?.brokerEpoch === epoch;
  }
}

/** Led, by somebody of a full in-sync set, and nobody is missing who may hold what is acknowledged. */
export function isHealthy(state: PartitionState): boolean {
  return (
    state.leader !== undefined &&
    state.isr.length === state.replicas.length &&
    state.suspects.length === 0 &&
    state.adding.length === 0 &&
    state.removing.length === 0 &&
    state.semiSyncMembers.every((member) => state.isr.includes(member))
  );
}
