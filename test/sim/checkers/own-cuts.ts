/**
 * S12: a replica never cuts its log below its own watermark, unless a committed unclean election says so;
 * and a process begins with nothing less than the one before it had stored (S24), unless the disk is
 * another or had not been asked to flush.
 */
import type { ReplicaChange, ReplicaChecker, SeenReplica } from '../cluster/replica-watch.ts';
import { Violation, type World } from '../world.ts';

/** Whether what a replica had stored is certain to be there after its process has ended. */
type Survives = (replica: SeenReplica) => boolean;

export class OwnCuts implements ReplicaChecker {
  readonly #world: World;
  readonly #survives: Survives;

  constructor(world: World, survives: Survives) {
    this.#world = world;
    this.#survives = survives;
  }

  changed({ replica, before, earlier }: ReplicaChange): void {
    const { node, place, end } = replica;
    const isUnclean = replica.driver.state.metadata?.uncleanEpoch !== undefined;
    if (before !== undefined && end < before.end) this.#world.reach('log cut');
    if (before !== undefined && end < before.end && end < before.watermark && !isUnclean)
      throw new Violation(
        'own-cuts',
        `node ${node} cuts ${place} to ${end}, its watermark was ${before.watermark}`,
      );
    if (earlier === undefined || end >= earlier.stored || !this.#survives(earlier)) return;
    throw new Violation(
      'stored-survives',
      `node ${node} begins ${place} with ${end}, process ${earlier.start} had stored ${earlier.stored}`,
    );
  }
}
