/**
 * Disturbs nodes that are processes: killed with SIGKILL, stopped with SIGSTOP, cut off and slowed at
 * the proxies between them. Clients reach an isolated node as before: it is cut off from the others.
 */
import type { ControlledNode, NodeAction } from '../../../proto/dashboard/messages.ts';
import type { PeerNetwork } from '../../../proto/link/node/peer-network.ts';
import { HighwaterError } from '../../../proto/model/errors.ts';
import type { ProcessNode } from '../fleet/process-node.ts';
import { type ClusterControl, type Condition, offersOf } from './cluster-control.ts';

/** A slowed node's links carry so much each way: heartbeats pass, a busy partition does not keep up. */
const slowBytesPerSecond = 64 * 1024;

export class ProcessControl implements ClusterControl {
  readonly #nodes: readonly ProcessNode[];
  readonly #network: PeerNetwork | undefined;
  readonly #conditions = new Map<number, Condition>();

  /** `network` is absent where nodes reach each other directly. */
  constructor(nodes: readonly ProcessNode[], network: PeerNetwork | undefined) {
    this.#nodes = nodes;
    this.#network = network;
  }

  nodes(): readonly ControlledNode[] {
    return this.#nodes.map((node) => {
      const condition = this.#conditionOf(node);
      return { id: node.id, condition, offers: offersOf(condition, this.#network !== undefined) };
    });
  }

  http(id: number): string {
    return this.#node(id).http;
  }

  async act(id: number, action: NodeAction): Promise<void> {
    const node = this.#node(id);
    const condition = this.#conditionOf(node);
    if (!offersOf(condition, this.#network !== undefined).includes(action))
      throw new HighwaterError('INVALID_REQUEST', `${action}: node ${id} is ${condition}`);
    switch (action) {
      case 'kill':
        this.#conditions.set(id, 'killed');
        await node.kill('SIGKILL');
        return;
      case 'pause':
        node.pause();
        this.#conditions.set(id, 'paused');
        return;
      case 'resume':
        node.resume();
        this.#conditions.set(id, 'running');
        return;
      case 'isolate':
        this.#network?.isolate(id, this.#others(id));
        this.#conditions.set(id, 'isolated');
        return;
      case 'slow':
        this.#slow(id);
        this.#conditions.set(id, 'slowed');
        return;
      case 'heal':
        this.#heal(id);
        this.#conditions.set(id, 'running');
        return;
      case 'restart':
        await this.#restart(node);
    }
  }

  async #restart(node: ProcessNode): Promise<void> {
    this.#conditions.set(node.id, 'starting');
    await node.kill('SIGKILL');
    this.#heal(node.id);
    node.start();
    try {
      await node.ready(60_000);
    } finally {
      this.#conditions.set(node.id, 'running');
    }
  }

  #slow(id: number): void {
    for (const other of this.#others(id)) {
      this.#network?.slow(id, other, slowBytesPerSecond);
      this.#network?.slow(other, id, slowBytesPerSecond);
    }
  }

  /** What another node is cut off from stays cut. */
  #heal(id: number): void {
    for (const other of this.#others(id)) {
      if (this.#conditions.get(other) === 'isolated') continue;
      this.#network?.release(id, other);
      this.#network?.release(other, id);
    }
  }

  #others(id: number): number[] {
    return this.#nodes.map((node) => node.id).filter((other) => other !== id);
  }

  /** A process that ended by itself is as dead as one that was killed. */
  #conditionOf(node: ProcessNode): Condition {
    const condition = this.#conditions.get(node.id) ?? 'running';
    return condition !== 'starting' && !node.isRunning ? 'killed' : condition;
  }

  #node(id: number): ProcessNode {
    const node = this.#nodes.find((one) => one.id === id);
    if (node === undefined) throw new HighwaterError('UNKNOWN_BROKER', `there is no node ${id}`);
    return node;
  }
}
