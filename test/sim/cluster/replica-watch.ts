/**
 * Looks at every replica of every running node after each event, and tells the checkers of those that
 * have changed: what is looked at thousands of times a second has to be cheap.
 */

import type { Role } from '../../../broker/replication/core/state.ts';
import type { PartitionDriver } from '../../../broker/replication/partition-driver.ts';
import type { NodeId } from '../../../proto/model/ids.ts';
import type { Checker } from '../world.ts';
import type { SimCluster } from './sim-cluster.ts';
import type { SimNode } from './sim-node.ts';

/** What checkers look at of a replica. */
export type WatchedReplica = Pick<PartitionDriver, 'topicId' | 'partition' | 'state'> & {
  readonly log: Pick<PartitionDriver['log'], 'read'>;
};

/** One replica in one life of its node. */
export interface SeenReplica {
  /** `topicId/partition`. */
  readonly place: string;
  readonly node: NodeId;
  /** Which process of the node, in which life of its machine, on which of its disks. */
  readonly start: number;
  readonly boot: number;
  readonly disk: number;
  readonly driver: WatchedReplica;
  role: Role;
  watermark: number;
  stored: number;
  end: number;
}

export interface ReplicaChange {
  readonly replica: SeenReplica;
  /** As it was before; undefined: it was not there. */
  readonly before: Pick<SeenReplica, 'role' | 'watermark' | 'stored' | 'end'> | undefined;
  /** The replica in the process before, when a new process is seen first and its disk is the same. */
  readonly earlier: SeenReplica | undefined;
}

export interface ReplicaChecker {
  changed(change: ReplicaChange): void;
}

export class ReplicaWatch implements Checker {
  readonly name = 'replicas';
  readonly #cluster: SimCluster;
  readonly #checkers: readonly ReplicaChecker[];
  readonly #onMet: (node: SimNode, driver: PartitionDriver) => void;
  readonly #seen = new Map<PartitionDriver, SeenReplica>();
  /** What a replica was last seen to have stored, its node running or not. */
  readonly #last = new Map<string, SeenReplica>();

  /** `onMet` is told of each replica that is seen first. */
  constructor(
    cluster: SimCluster,
    checkers: (watch: ReplicaWatch) => readonly ReplicaChecker[],
    onMet: (node: SimNode, driver: PartitionDriver) => void,
  ) {
    this.#cluster = cluster;
    this.#onMet = onMet;
    this.#checkers = checkers(this);
  }

  /** The latest of a replica: of its running process, or of the last one. */
  latest(place: string, node: NodeId): SeenReplica | undefined {
    return this.#last.get(`${place}@${node}`);
  }

  check(): void {
    for (const node of this.#cluster.nodes) {
      const drivers = node.running?.broker?.replicas();
      if (drivers === undefined) continue;
      for (const driver of drivers) this.#look(node, driver);
    }
  }

  #look(node: SimNode, driver: PartitionDriver): void {
    const { state } = driver;
    const seen = this.#seen.get(driver);
    if (seen === undefined) {
      this.#meet(node, driver);
      this.#onMet(node, driver);
      return;
    }
    const isSame =
      seen.watermark === state.watermark &&
      seen.stored === state.log.stored &&
      seen.end === state.log.end &&
      seen.role === state.role;
    if (isSame) return;
    const { role, watermark, stored, end } = seen;
    const before = { role, watermark, stored, end };
    seen.role = state.role;
    seen.watermark = state.watermark;
    seen.stored = state.log.stored;
    seen.end = state.log.end;
    for (const checker of this.#checkers)
      checker.changed({ replica: seen, before, earlier: undefined });
  }

  #meet({ id, starts, boots, disks }: SimNode, driver: PartitionDriver): void {
    const { state, topicId, partition } = driver;
    const replica: SeenReplica = {
      place: `${topicId}/${partition}`,
      node: id,
      start: starts,
      boot: boots,
      disk: disks,
      driver,
      role: state.role,
      watermark: state.watermark,
      stored: state.log.stored,
      end: state.log.end,
    };
    const key = `${replica.place}@${id}`;
    const earlier = this.#last.get(key);
    this.#seen.set(driver, replica);
    this.#last.set(key, replica);
    for (const checker of this.#checkers) checker.changed({ replica, before: undefined, earlier });
  }
}
