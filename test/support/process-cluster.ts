import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts } from './free-ports.ts';
import { PeerNetwork } from './peer-network.ts';

const cli = fileURLToPath(new URL('../../dist/broker/main/cli.js', import.meta.url));

export interface ProcessClusterOptions {
  readonly nodes: number;
  /** Settings of every node, by name. */
  readonly settings?: Readonly<Record<string, string>>;
  /** `lossy`: a killed node loses what it had not flushed. */
  readonly disk?: 'lossy';
  /** The nodes reach each other through proxies that can be held. */
  readonly hasProxies?: boolean;
  /** An empty directory; one is made if none is given. */
  readonly directory?: string;
}

/** Real processes of the built product on real ports and a real directory. */
export class ProcessCluster {
  readonly nodes: readonly ProcessNode[];
  readonly directory: string;
  /** Has a say only where the cluster has proxies. */
  readonly network: PeerNetwork;

  private constructor(directory: string, nodes: readonly ProcessNode[], network: PeerNetwork) {
    this.directory = directory;
    this.network = network;
    this.nodes = nodes;
  }

  static async start(options: ProcessClusterOptions): Promise<ProcessCluster> {
    const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'highwater-')));
    const ports = await freePorts(options.nodes * 4);
    const port = (index: number): number => ports[index] ?? 0;
    const ids = Array.from({ length: options.nodes }, (_, index) => index + 1);
    const network = new PeerNetwork();
    const { hasProxies = false } = options;
    const listensAt = (id: number): number => port(id * 4 - 3);
    const isFoundAt = (id: number): number => (hasProxies ? port(id * 4 - 1) : listensAt(id));
    if (hasProxies)
      await Promise.all(ids.map((id) => network.front(id, isFoundAt(id), listensAt(id))));
    const quorum = ids.map((id) => `${id}@127.0.0.1:${isFoundAt(id)}`).join(',');
    const nodes = ids.map(
      (id) =>
        new ProcessNode(id, directory, options, {
          quorum,
          listen: `127.0.0.1:${port(id * 4 - 4)}`,
          'peer-listen': `127.0.0.1:${listensAt(id)}`,
          'advertised-peer-listen': `127.0.0.1:${isFoundAt(id)}`,
          'http-listen': `127.0.0.1:${port(id * 4 - 2)}`,
        }),
    );
    const cluster = new ProcessCluster(directory, nodes, network);
    for (const node of nodes) node.start();
    try {
      await Promise.all(nodes.map((node) => node.ready()));
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  /** Addresses for a client. */
  get brokers(): string[] {
    return this.nodes.map((node) => node.grpc);
  }

  node(id: number): ProcessNode {
    const node = this.nodes[id - 1];
    if (node === undefined) throw new Error(`there is no node ${id}`);
    return node;
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill('SIGKILL')));
    await this.network.close();
    await rm(this.directory, { recursive: true, force: true });
  }
}

export class ProcessNode {
  readonly id: number;
  readonly grpc: string;
  readonly http: string;
  readonly peer: string;
  /** What the node logged, as far as it was kept. */
  readonly log: string[] = [];
  readonly #arguments: readonly string[];
  readonly #disk: string | undefined;
  readonly #logFile: string;
  #child: ChildProcess | undefined;
  #exited: Promise<number | null> = Promise.resolve(null);

  constructor(
    id: number,
    directory: string,
    options: ProcessClusterOptions,
    own: Readonly<Record<string, string>>,
  ) {
    this.id = id;
    this.grpc = own['listen'] ?? '';
    this.http = own['http-listen'] ?? '';
    this.peer = own['peer-listen'] ?? '';
    this.#disk = options.disk;
    this.#logFile = join(directory, `node-${id}.log`);
    const settings = {
      'node-id': String(id),
      data: join(directory, `node-${id}`),
      'disk-reserve-bytes': '0',
      ...own,
      ...options.settings,
    };
    this.#arguments = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  start(): void {
    const env = {
      ...process.env,
      ...(this.#disk === undefined ? {} : { HIGHWATER_TEST_DISK: this.#disk }),
    };
    const child = spawn(process.execPath, [cli, 'server', ...this.#arguments], {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      child.once('exit', (code) => resolve(code));
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      appendFileSync(this.#logFile, chunk);
      this.log.push(chunk.toString());
      if (this.log.length > 500) this.log.shift();
    });
  }

  /** Sends a signal; for one that ends the process, resolves once it has ended. */
  async kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    if (this.#child === undefined || this.#child.exitCode !== null) return this.#exited;
    this.#child.kill(signal);
    return this.#exited;
  }

  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Resolves once `/readyz` says so. */
  async ready(withinMs = 15_000): Promise<void> {
    const deadline = Date.now() + withinMs;
    for (;;) {
      const answer = await this.#ask('/readyz');
      if (answer?.status === 200) return;
      if (Date.now() > deadline)
        throw new Error(
          `node ${this.id} is not ready: ${answer?.text ?? 'no answer'}\n${this.log.slice(-20).join('')}`,
        );
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  #ask(path: string): Promise<{ status: number; text: string } | undefined> {
    return new Promise((resolve) => {
      const request = get(`http://${this.http}${path}`, { timeout: 1_000 }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      });
      request.on('error', () => resolve(undefined));
      request.on('timeout', () => request.destroy());
    });
  }
}
