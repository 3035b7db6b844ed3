/**
 * S25: a broker whose lease has ended acknowledges nothing at `none` or `leader`, and no degraded
 * `semi-sync` (rule 6.7): from the moment on at which it ends by the broker's own clock, whatever the
 * broker has noticed, and also before what was queued while it stood still (rule B3.14).
 *
 * It listens to what each replica answers, so that no ack leaves between two looks.
 */
import type { ProduceResult } from '../../../broker/replication/core/effects.ts';
import type { PartitionDriver } from '../../../broker/replication/partition-driver.ts';
import type { Acks } from '../../../proto/model/acks.ts';
import type { World } from '../world.ts';

/** A broker, in the life that hosts the replica. */
export interface LeasedBroker {
  readonly id: number;
  /** By its own clock. */
  now(): number;
  leaseUntil(): number;
}

/** What answers. */
export interface AnsweringReplica {
  readonly topicId: string;
  readonly partition: number;
  produce: PartitionDriver['produce'];
}

export class Leases {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** Judges all that the replica answers from here on. */
  watch(broker: LeasedBroker, replica: AnsweringReplica): void {
    const { produce } = replica;
    replica.produce = (batch, header, options, done) =>
      produce.call(replica, batch, header, options, (result) => {
        this.#judge(broker, replica, options.acks, result);
        done(result);
      });
  }

  #judge(
    broker: LeasedBroker,
    { topicId, partition }: AnsweringReplica,
    acks: Acks,
    result: ProduceResult,
  ): void {
    if (result.kind === 'failed') {
      if (result.code === 'LEASE_LOST') this.#world.reach('write without a lease refused');
      return;
    }
    const restsOnLease = acks === 'none' || acks === 'leader' || result.receipt.isDegraded;
    const late = broker.now() - broker.leaseUntil();
    if (!restsOnLease || late < 0) return;
    this.#world.fail(
      'lease',
      `node ${broker.id} acknowledges at ${acks} in ${topicId}/${partition}, ${late.toFixed(3)} ms after its lease`,
    );
  }
}
