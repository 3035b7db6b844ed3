/**
 * Somebody who changes the voters of the controllers while the cluster breaks: one at a time, over the
 * production client, as `highwater cluster voters` does. Who was removed keeps running and is added again
 * later, with the storage that it has.
 */
import { type Client, openClient } from '../../../client/client.ts';
import { HighwaterError } from '../../../proto/model/errors.ts';
import type { SeededRandom } from '../../../proto/ports/memory/seeded-random.ts';
import type { VotersPlan } from './extra-plans.ts';
import type { SimCluster } from './sim-cluster.ts';
import type { SimNode } from './sim-node.ts';

const limits = { timeoutMs: 5_000 };

export class SimVoters {
  readonly #cluster: SimCluster;
  readonly #plan: VotersPlan;
  readonly #random: SeededRandom;
  #client: Client | undefined;
  #isOver = false;

  constructor(cluster: SimCluster, plan: VotersPlan) {
    this.#cluster = cluster;
    this.#plan = plan;
    this.#random = cluster.world.random.fork('voters');
  }

  async run(): Promise<void> {
    const { world } = this.#cluster;
    this.#client = await openClient(this.#cluster.clientMachine('voters'), {
      brokers: this.#cluster.addresses,
      connectTimeoutMs: 120_000,
    });
    while (!this.#isOver) {
      await world.sleep(1 + this.#random.below(2 * this.#plan.everyMs));
      if (!this.#isOver) await this.#change();
    }
    await this.#client.close();
  }

  stop(): void {
    this.#isOver = true;
  }

  async #change(): Promise<void> {
    const admin = this.#client?.admin;
    const voters = new Set(this.#cluster.image.voters.map(({ nodeId }) => nodeId));
    const able = this.#cluster.nodes.filter(({ isVoter }) => isVoter);
    const outside = able.filter(({ id }) => !voters.has(id));
    const inside = able.filter(({ id }) => voters.has(id));
    const isToAdd = inside.length < 2 || this.#random.below(2) === 0;
    const node = this.#one(isToAdd && outside.length > 0 ? outside : inside);
    if (node === undefined) return;
    const what = voters.has(node.id) ? 'remove' : 'add';
    if (what === 'remove' && inside.length < 2) return;
    await this.#ask(what, node, () =>
      what === 'add'
        ? admin?.addVoter(node.id, { ...limits, address: `${node.host}:9093` })
        : admin?.removeVoter(node.id, limits),
    );
  }

  async #ask(
    what: 'add' | 'remove',
    { id }: SimNode,
    act: () => Promise<unknown> | undefined,
  ): Promise<void> {
    const { world } = this.#cluster;
    world.note(`voters: ${what} ${id}`);
    try {
      await act();
      world.reach(`voters: ${what}`);
    } catch (caught) {
      const { code, message } = HighwaterError.from(caught);
      world.note(`voters: ${what} ${id} refused, ${code} ${message}`);
      world.reach(`voters: ${what} ${code}`);
    }
  }

  #one(nodes: readonly SimNode[]): SimNode | undefined {
    return nodes.length === 0 ? undefined : nodes[this.#random.below(nodes.length)];
  }
}
