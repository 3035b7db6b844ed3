/**
 * A whole cluster in one process: real nodes, real gRPC and links, on free ports. For tests, which kill,
 * pause, isolate and slow its nodes, and for `highwater dev`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HighwaterError } from '../../proto/model/errors.ts';
import { readNodeSettings } from '../../proto/model/node-settings.ts';
import { type DevLayout, type DevNode, devLayout, devSettings } from './dev-layout.ts';
import { type Disturbance, disturbedMachine } from './disturbance/disturbed-machine.ts';
import { type RunningNode, startNode } from './node.ts';

export interface ClusterOptions {
  /** How many nodes, each with both roles; 3 if not said. */
  readonly nodes?: number;
  /** Where data is kept; a temporary directory, removed at the end, if not said. */
  readonly data?: string;
  /** The first of its ports, if they are free; any by default. */
  readonly port?: number;
  /** Settings of every node, by name: `{ 'session-ms': '500' }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A running cluster. Nodes are numbered from 1. */
export class Cluster implements AsyncDisposable {
  readonly #layout: DevLayout;
  readonly #options: ClusterOptions;
  readonly #directory: string;
  readonly #nodes = new Map<number, OneNode>();
  readonly #stop = new AbortController();

  private constructor(layout: DevLayout, directory: string, options: ClusterOptions) {
    this.#layout = layout;
    this.#directory = directory;
    this.#options = options;
  }

  /** Resolves once every node is ready. */
  static async start(options: ClusterOptions = {}): Promise<Cluster> {
    const directory = options.data ?? mkdtempSync(join(tmpdir(), 'highwater-'));
    const layout = await devLayout(directory, {
      count: options.nodes,
      ...(options.port === undefined ? {} : { port: options.port }),
    });
    if (layout.hasProxies)
      throw new HighwaterError(
        'INVALID_CONFIG',
        `${directory} holds a cluster of processes: start it with highwater dev --processes`,
      );
    const cluster = new Cluster(layout, directory, options);
    try {
      await Promise.all(cluster.#layout.nodes.map((node) => cluster.#start(node)));
      await cluster.ready();
    } catch (caught) {
      await cluster.close();
      throw caught;
    }
    return cluster;
  }

  /** Addresses for `connect({ brokers })`. */
  get brokers(): readonly string[] {
    return this.#layout.nodes.map((node) => node.grpc);
  }

  /** A port for the dashboard of them all. */
  get frontPort(): number {
    return this.#layout.front;
  }

  /** Where each node's dashboard listens. */
  get dashboards(): readonly string[] {
    return this.#layout.nodes.map((node) => node.http);
  }

  /** Resolves once every node serves that runs, but for those that are paused or isolated. */
  async ready(): Promise<void> {
    const isWaiting = (one: OneNode): boolean =>
      !one.isDisturbed && (one.node.broker?.readiness().length ?? 0) > 0;
    while ([...this.#nodes.values()].some(isWaiting)) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Ends a node at once, as a crash would; what it had written stays. */
  async kill(id: number): Promise<void> {
    this.#layoutOf(id);
    const one = this.#nodes.get(id);
    this.#nodes.delete(id);
    if (one !== undefined) await endOf(one);
  }

  /** Starts a node again with its data; a running one is killed first. */
  async restart(id: number): Promise<void> {
    await this.kill(id);
    await this.#start(this.#layoutOf(id));
  }

  /** Holds a node's clock and everything that reaches it, as a stop of its process would. */
  pause(id: number): void {
    this.#disturb(id, true).pause();
  }

  /** Lets a paused node go on, with all that waited. */
  resume(id: number): void {
    this.#disturb(id, false).resume();
  }

  /** Destroys a node's connections, to clients and to the other nodes, and refuses others. */
  isolate(id: number): void {
    this.#disturb(id, true).isolate(true);
  }

  /** Lets an isolated node be reached again. */
  heal(id: number): void {
    this.#disturb(id, false).isolate(false);
  }

  /** Whatever reaches the node, from clients and other nodes, takes so much longer; 0 ends that. */
  slow(id: number, ms: number): void {
    if (!Number.isFinite(ms) || ms < 0)
      throw new HighwaterError('INVALID_REQUEST', `slow ${ms}: expected milliseconds from 0`);
    this.#running(id).disturbance.slow(ms);
  }

  /** Ends every node; a temporary directory goes with it. Always returns. */
  async close(): Promise<void> {
    this.#stop.abort();
    const nodes = [...this.#nodes.values()];
    this.#nodes.clear();
    await Promise.all(nodes.map(endOf));
    if (this.#options.data === undefined) rmSync(this.#directory, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #start(node: DevNode): Promise<void> {
    const given = new Map([
      ['log-level', 'silent'],
      ['disk-reserve-bytes', '0'],
      ...devSettings(this.#layout, node),
      ...Object.entries(this.#options.settings ?? {}),
    ]);
    const read = readNodeSettings(given);
    if ('refusals' in read) throw new HighwaterError('INVALID_CONFIG', read.refusals.join('; '));
    const { machine, disturbance } = disturbedMachine(read.settings);
    const running = await startNode(read.settings, machine, this.#stop.signal);
    this.#nodes.set(node.id, { node: running, disturbance, isDisturbed: false });
  }

  #disturb(id: number, isDisturbed: boolean): Disturbance {
    const one = this.#running(id);
    one.isDisturbed = isDisturbed;
    return one.disturbance;
  }

  #running(id: number): OneNode {
    this.#layoutOf(id);
    const one = this.#nodes.get(id);
    if (one === undefined)
      throw new HighwaterError(
        'UNKNOWN_BROKER',
        `node ${id} does not run; restart(${id}) starts it`,
      );
    return one;
  }

  #layoutOf(id: number): DevNode {
    const node = this.#layout.nodes.find((one) => one.id === id);
    if (node === undefined) throw new HighwaterError('UNKNOWN_BROKER', `there is no node ${id}`);
    return node;
  }
}

interface OneNode {
  readonly node: RunningNode;
  readonly disturbance: Disturbance;
  isDisturbed: boolean;
}

async function endOf({ node, disturbance }: OneNode): Promise<void> {
  disturbance.beginEnd();
  await node.abandon();
  disturbance.end();
}

/** Starts a cluster for a test: `await using cluster = await startCluster({ nodes: 3 })`. */
export function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  return Cluster.start(options);
}
