/**
 * S1 for what was acknowledged at `all` or `semi-sync`: from the acknowledgement on, the log of every
 * new leader reaches beyond the record. That it is the same record is found at the end, by the audit.
 */
import type { ReplicaChange, ReplicaChecker } from '../cluster/replica-watch.ts';
import { Violation } from '../world.ts';

export class PromisedRecords implements ReplicaChecker {
  /** The offset behind the last promised record of a partition. */
  readonly #ends = new Map<string, number>();
  /** The highest epoch of a partition that anybody has led. */
  readonly #epochs = new Map<string, number>();

  /** A writer was told; `place` is `topicId/partition`. */
  acknowledged(place: string, offset: number): void {
    this.#ends.set(place, Math.max(this.#ends.get(place) ?? 0, offset + 1));
  }

  changed({ replica, before }: ReplicaChange): void {
    const { role, place, end, node, driver } = replica;
    if (role.kind !== 'leader' || before?.role === role) return;
    // Whoever learns late that it was elected may lack what a later epoch has acknowledged.
    if (role.epoch < (this.#epochs.get(place) ?? 0)) return;
    this.#epochs.set(place, role.epoch);
    if (driver.state.metadata?.uncleanEpoch !== undefined) return;
    const promised = this.#ends.get(place) ?? 0;
    if (end >= promised) return;
    throw new Violation(
      'leader-has-promised',
      `node ${node} leads ${place} with ${end} records, ${promised} were promised`,
    );
  }
}
