/**
 * S23, as far as it can be seen from outside: whoever waits for an ack has a deadline and hears of it in
 * time, and what is scheduled does not grow without end. It is looked at every now and then: what it
 * looks for lasts.
 */
import type { Role } from '../../../broker/replication/core/state.ts';
import { type Checker, Violation } from '../world.ts';

/** A node, as far as requests wait on it. */
export interface WaitingNode {
  readonly id: number;
  readonly state: string;
  /** By its own clock. */
  readonly now: number;
  readonly replicas: Iterable<WaitingReplica>;
}

interface WaitingReplica {
  readonly topicId: string;
  readonly partition: number;
  readonly state: { readonly role: WaitingRole };
}

type WaitingRole =
  | { readonly kind: 'leader'; readonly waiting: Readonly<Record<string, readonly Waiting[]>> }
  | { readonly kind: Exclude<Role['kind'], 'leader'> };

interface Waiting {
  readonly deadlineMs: number;
}

/** All that waits for its time, in the whole cluster with its clients. */
export interface Schedule {
  readonly pendingCount: number;
}

const everyEvents = 1_024;
/** Some thousand with seven nodes and everybody who uses them. */
const scheduledMax = 50_000;
/** Deadlines are looked at by ticks, and a node may have stood still until now. */
const lateMsMax = 1_000;

export class Bounds implements Checker {
  readonly name = 'bounds';
  readonly #schedule: Schedule;
  readonly #nodes: readonly WaitingNode[];
  #events = 0;
  /** By node: since when it has been running without a pause, as far as was seen. */
  readonly #upSince = new Map<number, number>();

  constructor(schedule: Schedule, nodes: readonly WaitingNode[]) {
    this.#schedule = schedule;
    this.#nodes = nodes;
  }

  check(): void {
    if (++this.#events % everyEvents === 0) this.look();
  }

  /** Looks at once. */
  look(): void {
    const { pendingCount } = this.#schedule;
    if (pendingCount > scheduledMax)
      throw new Violation(this.name, `${pendingCount} events are scheduled`);
    for (const node of this.#nodes) {
      if (node.state === 'up') this.#lookAt(node);
      else this.#upSince.delete(node.id);
    }
  }

  #lookAt(node: WaitingNode): void {
    const { id, now } = node;
    const since = this.#upSince.get(id) ?? now;
    this.#upSince.set(id, Math.min(since, now));
    for (const { topicId, partition, state } of node.replicas) {
      if (state.role.kind !== 'leader') continue;
      for (const [level, waiters] of Object.entries(state.role.waiting)) {
        const late = waiters.find(
          ({ deadlineMs }) =>
            !Number.isFinite(deadlineMs) || now - Math.max(since, deadlineMs) > lateMsMax,
        );
        if (late === undefined) continue;
        const where = `node ${id} ${topicId}/${partition}`;
        throw new Violation(this.name, `${where}: ${level} waits beyond ${late.deadlineMs}`);
      }
    }
  }
}
