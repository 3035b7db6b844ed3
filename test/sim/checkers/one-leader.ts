/** S9: in one epoch of a partition at most one process leads, and it never leads again after it ended. */
import type { ReplicaChange, ReplicaChecker } from '../cluster/replica-watch.ts';
import { Violation, type World } from '../world.ts';

export class OneLeader implements ReplicaChecker {
  readonly #leaders = new Map<string, string>();
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  changed({ replica, before }: ReplicaChange): void {
    const { role, place, node, start } = replica;
    if (role.kind !== 'leader' || before?.role === role) return;
    this.#world.reach('leader-begins');
    const key = `${place} ${role.epoch}`;
    const process = `node ${node} start ${start}`;
    const known = this.#leaders.get(key);
    if (known !== undefined) {
      throw new Violation('one-leader', `${process} leads ${key}, which ${known} led`);
    }
    this.#leaders.set(key, process);
  }
}
