/**
 * The one who breaks a cluster: every now and then one fault, drawn from the kinds of this run, each
 * of which ends by itself. What it breaks stays within what the promises cover: disks keep what was
 * flushed, and another disk is lost only once everything that the last one held is there again.
 */
import type { SeededRandom } from '../../../proto/ports/memory/seeded-random.ts';
import type { ClusterFaultKind, ClusterSwarm } from './cluster-swarm.ts';
import type { Reduction } from './reduction.ts';
import type { SimCluster } from './sim-cluster.ts';
import type { SimNode } from './sim-node.ts';

export class ClusterFaults {
  readonly #cluster: SimCluster;
  readonly #swarm: ClusterSwarm;
  readonly #chosen: Reduction['faults'];
  readonly #forks: SeededRandom;
  /** Of the present fault alone: leaving one out changes no other. */
  #random: SeededRandom;
  #isOver = false;
  #votersLost = 0;
  /** A disk was lost, and what it held may not be elsewhere again. */
  #isRefilling = false;

  /** `chosen`: those that happen, counted from 1; undefined: all. */
  constructor(cluster: SimCluster, chosen: Reduction['faults']) {
    this.#cluster = cluster;
    this.#swarm = cluster.swarm;
    this.#chosen = chosen;
    this.#forks = cluster.world.random.fork('faults');
    this.#random = this.#forks;
  }

  /** Runs until it is healed. */
  async run(): Promise<void> {
    const { world } = this.#cluster;
    if (this.#swarm.faults.length === 0) return;
    for (let number = 1; ; number++) {
      this.#random = this.#forks.fork(String(number));
      await world.sleep(this.#upTo(2 * this.#swarm.faultEveryMs));
      if (this.#isOver) return;
      world.reach('fault');
      if (this.#chosen?.includes(number) === false) continue;
      const kind = this.#one(this.#swarm.faults);
      const node = this.#one(this.#cluster.nodes);
      world.note(`fault ${number} ${kind} ${node.id}`);
      this.#inject(kind, node);
    }
  }

  /** No more faults; everything that is broken works again. */
  heal(): void {
    const { world, nodes } = this.#cluster;
    this.#isOver = true;
    world.note('heal');
    world.network.healAll();
    for (const from of this.#hosts())
      for (const to of this.#hosts()) this.#cluster.rpc.release(from, to);
    for (const node of nodes) {
      node.slowDown(0);
      node.resume();
      node.start();
    }
  }

  #inject(kind: ClusterFaultKind, node: SimNode): void {
    const other = this.#one(this.#cluster.nodes);
    switch (kind) {
      case 'kill':
        return this.#kill(node);
      case 'kill-leader':
        return this.#kill(this.#leader() ?? node);
      case 'power':
        return this.#losePower(node);
      case 'power-all':
        return this.#cluster.nodes.forEach((one) => this.#losePower(one));
      case 'pause':
        return this.#pause(node);
      case 'pause-leader':
        return this.#pause(this.#leader() ?? node);
      case 'cut-both':
        return this.#cut([
          [node.host, other.host],
          [other.host, node.host],
        ]);
      case 'cut-one-way':
        return this.#cut([[node.host, other.host]]);
      case 'isolate':
        return this.#isolate(node);
      case 'lose-connection':
        this.#cluster.world.network.lose(node.id, other.id);
        return this.#cluster.rpc.disconnect(node.host, this.#one(this.#hosts()));
      case 'restart':
        return node.restart();
      case 'slow-disk':
        node.slowDown(this.#upTo(400));
        return this.#later(2_000, () => node.slowDown(0));
      case 'lose-disk':
        return this.#loseDisk(node);
      case 'lose-disks':
        return this.#cluster.nodes.forEach(
          (one) => this.#random.below(3) > 0 && this.#loseDisk(one),
        );
      case 'jump-wall':
        return node.jumpWall(this.#upTo(20_000) - 10_000);
    }
  }

  #kill(node: SimNode): void {
    node.kill();
    this.#later(2_000, () => node.start());
  }

  #losePower(node: SimNode): void {
    node.losePower();
    this.#later(2_000, () => node.start());
  }

  #pause(node: SimNode): void {
    node.pause();
    this.#later(3_000, () => node.resume());
  }

  /** With or without the clients. */
  #isolate({ host }: SimNode): void {
    const withClients = this.#random.below(2) === 0;
    const others = withClients ? this.#hosts() : this.#cluster.nodes.map((one) => one.host);
    const ways = others.filter((other) => other !== host);
    this.#cut(ways.flatMap((other) => [[host, other] as const, [other, host] as const]));
  }

  #cut(ways: readonly (readonly [string, string])[]): void {
    const { world, rpc } = this.#cluster;
    const ids = ways.map(([from, to]) => [this.#idOf(from), this.#idOf(to)] as const);
    for (const [from, to] of ways) rpc.hold(from, to);
    for (const [from, to] of ids)
      if (from !== undefined && to !== undefined) world.network.cut(from, to);
    this.#later(4_000, () => {
      for (const [from, to] of ways) rpc.release(from, to);
      for (const [from, to] of ids)
        if (from !== undefined && to !== undefined) world.network.heal(from, to);
    });
  }

  /** Within the budget: one at a time, refilled before the next, and a majority of voters keep theirs. */
  #loseDisk(node: SimNode): void {
    const voters = this.#cluster.nodes.filter((one) => one.isVoter).length;
    if (this.#cluster.isWhole) this.#isRefilling = false;
    const isCovered = this.#swarm.survivesLostDisk && !this.#isRefilling;
    const isMajority = 2 * (this.#votersLost + 1) < voters && this.#swarm.voters === undefined;
    const keepsVoters = !node.isVoter || isMajority;
    if (!keepsVoters || !(isCovered || this.#swarm.isOverBudget)) return;
    if (node.isVoter) this.#votersLost++;
    this.#isRefilling = true;
    this.#cluster.world.reach('disk-lost');
    node.loseDisk();
    this.#later(2_000, () => node.start());
  }

  #leader(): SimNode | undefined {
    const leaders = this.#cluster
      .partitions()
      .flatMap(({ state }) => (state.leader === undefined ? [] : [state.leader]));
    return leaders.length === 0 ? undefined : this.#cluster.node(this.#one(leaders));
  }

  #hosts(): readonly string[] {
    return [...this.#cluster.nodes.map((node) => node.host), ...this.#cluster.clientHosts];
  }

  #idOf(host: string): SimNode['id'] | undefined {
    return this.#cluster.nodes.find((node) => node.host === host)?.id;
  }

  #later(msMax: number, action: () => void): void {
    this.#cluster.world.time.clock.after(this.#upTo(msMax), action);
  }

  #upTo(ms: number): number {
    return 1 + this.#random.below(ms);
  }

  #one<Value>(values: readonly Value[]): Value {
    const value = values[this.#random.below(values.length)];
    if (value === undefined) throw new Error('there is always something to choose');
    return value;
  }
}
