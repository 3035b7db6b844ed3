/**
 * S5: the leader of the present epoch waits at least for everybody whom the controllers take for in sync.
 * If it waited for fewer, one of the others could be elected without what was acknowledged.
 */
import type { PartitionState } from '../../../proto/metadata/records.ts';
import type { ReplicaChange, ReplicaChecker, SeenReplica } from '../cluster/replica-watch.ts';
import { Violation } from '../world.ts';

/** What the controllers have committed of a partition, as the newest image tells. */
export type CommittedPartition = Pick<PartitionState, 'leader' | 'leaderEpoch' | 'isr' | 'elr'>;

export type CommittedPartitions = (place: string) => CommittedPartition | undefined;

export class MaximalIsr implements ReplicaChecker {
  readonly #partitions: CommittedPartitions;

  constructor(partitions: CommittedPartitions) {
    this.#partitions = partitions;
  }

  changed({ replica }: ReplicaChange): void {
    const { role, place, node } = replica;
    if (role.kind !== 'leader') return;
    const committed = this.#partitions(place);
    const isPresent = committed?.leader === node && committed.leaderEpoch === role.epoch;
    if (!isPresent) return;
    const waitedFor = maximalIsr(replica);
    const forgotten = committed.isr.find((member) => !waitedFor.includes(member));
    if (forgotten !== undefined)
      throw new Violation(
        'maximal-isr',
        `node ${node} ${place} waits for ${waitedFor.join()}, node ${forgotten} is in sync too`,
      );
  }
}

/** Everybody whom a leader has to wait for. */
export function maximalIsr({ role }: Pick<SeenReplica, 'role'>): SeenReplica['node'][] {
  if (role.kind !== 'leader') return [];
  return [...role.committed.isr, ...(role.pending?.maximalIsr ?? [])];
}
