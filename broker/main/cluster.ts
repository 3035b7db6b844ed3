/** A whole cluster in one process: real nodes, real gRPC and links, on free ports. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HighwaterError } from '../../proto/model/errors.ts';
import { readNodeSettings } from '../../proto/model/node-settings.ts';
import { type DevLayout, type DevNode, devLayout, devSettings } from './dev-layout.ts';
import { createNodeMachine } from './machine.ts';
import { type RunningNode, startNode } from './node.ts';

export interface ClusterOptions {
  /** How many nodes, each with both roles; 3 if not said. */
  readonly nodes?: number;
  /** Where data is kept; a temporary directory, removed at the end, if not said. */
  readonly data?: string;
  /** Settings of every node, by name: `{ 'session-ms': '500' }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A running cluster. */
export class Cluster implements AsyncDisposable {
  readonly #layout: DevLayout;
  readonly #options: ClusterOptions;
  readonly #directory: string;
  readonly #nodes = new Map<number, RunningNode>();
  readonly #stop = new AbortController();

  private constructor(layout: DevLayout, directory: string, options: ClusterOptions) {
    this.#layout = layout;
    this.#directory = directory;
    this.#options = options;
  }

  /** Resolves once every node is ready. */
  static async start(options: ClusterOptions = {}): Promise<Cluster> {
    const directory = options.data ?? mkdtempSync(join(tmpdir(), 'highwater-'));
    const cluster = new Cluster(await devLayout(directory, options.nodes), directory, options);
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

  /** Resolves once every running node serves. */
  async ready(): Promise<void> {
    while ([...this.#nodes.values()].some((node) => (node.broker?.readiness().length ?? 0) > 0)) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Ends a node at once, as a crash would; what it had written stays. */
  async kill(id: number): Promise<void> {
    const node = this.#nodes.get(id);
    this.#nodes.delete(id);
    await node?.abandon();
  }

  /** Starts a node that was killed or stopped again, with its data. */
  async restart(id: number): Promise<void> {
    const node = this.#layout.nodes.find((one) => one.id === id);
    if (node === undefined) throw new HighwaterError('UNKNOWN_BROKER', `there is no node ${id}`);
    await this.kill(id);
    await this.#start(node);
  }

  /** Ends every node; a temporary directory goes with it. Always returns. */
  async close(): Promise<void> {
    this.#stop.abort();
    const nodes = [...this.#nodes.values()];
    this.#nodes.clear();
    await Promise.all(nodes.map((node) => node.abandon()));
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
    this.#nodes.set(
      node.id,
      await startNode(
        read.settings,
        createNodeMachine(read.settings, undefined),
        this.#stop.signal,
      ),
    );
  }
}

/** Starts a cluster for a test: `await using cluster = await startCluster({ nodes: 3 })`. */
export function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  return Cluster.start(options);
}
