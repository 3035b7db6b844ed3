/**
 * S2: whoever the controllers may elect without asking anybody else has stored everything that was ever
 * below a watermark: the members of the in-sync set and those that are eligible outside it.
 */
import type { NodeId } from '../../../proto/model/ids.ts';
import type { ReplicaChange, ReplicaChecker, SeenReplica } from '../cluster/replica-watch.ts';
import { Violation } from '../world.ts';
import type { CommittedPartitions } from './maximal-isr.ts';

/** The latest process of a replica, and whether it is the one that the controllers trust. */
export interface KnownReplicas {
  latest(place: string, node: NodeId): SeenReplica | undefined;
  isRegistered(replica: SeenReplica): boolean;
}

export class Candidates implements ReplicaChecker {
  readonly #partitions: CommittedPartitions;
  readonly #replicas: KnownReplicas;
  /** By place: the highest watermark so far. */
  readonly #watermarks = new Map<string, number>();

  constructor(partitions: CommittedPartitions, replicas: KnownReplicas) {
    this.#partitions = partitions;
    this.#replicas = replicas;
  }

  changed({ replica }: ReplicaChange): void {
    const { place, watermark } = replica;
    if (watermark <= (this.#watermarks.get(place) ?? 0)) return;
    this.#watermarks.set(place, watermark);
    const committed = this.#partitions(place);
    if (committed === undefined) return;
    for (const member of [...committed.isr, ...committed.elr]) {
      const candidate = this.#replicas.latest(place, member);
      if (candidate === undefined) continue;
      const { stored } = candidate.driver.state.log;
      if (stored >= watermark || !this.#replicas.isRegistered(candidate)) continue;
      throw new Violation(
        'candidates',
        `node ${member} may be elected for ${place} with ${stored} of ${watermark} committed records`,
      );
    }
  }
}
