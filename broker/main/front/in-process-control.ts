/** Disturbs nodes that live in this process. */
import type { ControlledNode, NodeAction } from '../../../proto/dashboard/messages.ts';
import { HighwaterError } from '../../../proto/model/errors.ts';
import type { Cluster } from '../cluster.ts';
import { type ClusterControl, type Condition, offersOf } from './cluster-control.ts';

/** Whatever reaches a slowed node takes so much longer. */
const slowMs = 200;

export class InProcessControl implements ClusterControl {
  readonly #cluster: Cluster;
  readonly #http: readonly string[];
  readonly #conditions = new Map<number, Condition>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.#http = cluster.dashboards;
  }

  nodes(): readonly ControlledNode[] {
    return this.#http.map((_, index) => {
      const condition = this.#conditions.get(index + 1) ?? 'running';
      return { id: index + 1, condition, offers: offersOf(condition, true) };
    });
  }

  http(id: number): string {
    return this.#http[id - 1] ?? '';
  }

  async act(id: number, action: NodeAction): Promise<void> {
    const condition = this.#conditions.get(id) ?? 'running';
    if (this.http(id) === '' || !offersOf(condition, true).includes(action))
      throw new HighwaterError('INVALID_REQUEST', `${action}: node ${id} is ${condition}`);
    switch (action) {
      case 'kill':
        await this.#cluster.kill(id);
        this.#conditions.set(id, 'killed');
        return;
      case 'pause':
        this.#cluster.pause(id);
        this.#conditions.set(id, 'paused');
        return;
      case 'resume':
        this.#cluster.resume(id);
        this.#conditions.set(id, 'running');
        return;
      case 'isolate':
        this.#cluster.isolate(id);
        this.#conditions.set(id, 'isolated');
        return;
      case 'slow':
        this.#cluster.slow(id, slowMs);
        this.#conditions.set(id, 'slowed');
        return;
      case 'heal':
        this.#cluster.heal(id);
        this.#cluster.slow(id, 0);
        this.#conditions.set(id, 'running');
        return;
      case 'restart':
        this.#conditions.set(id, 'starting');
        try {
          await this.#cluster.restart(id);
        } finally {
          this.#conditions.set(id, 'running');
        }
    }
  }
}
