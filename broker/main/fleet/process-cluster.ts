/**
 * A cluster of real processes on free ports of this machine, made to have things done to it: its nodes
 * are killed, paused and started again, and where it has proxies the network between them is cut and
 * slowed.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PeerNetwork } from '../../../proto/link/node/peer-network.ts';
import { HighwaterError } from '../../../proto/model/errors.ts';
import { freePorts } from '../free-ports.ts';
import { ProcessNode } from './process-node.ts';

export interface ProcessClusterOptions {
  /** Brokers; each is a controller as well, unless there are controllers of their own. */
  readonly nodes: number;
  /** Nodes that are controllers only, numbered after the brokers. */
  readonly controllers?: number;
  /** Settings of every node, by name. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The nodes reach each other through proxies that can be held and slowed. */
  readonly hasProxies?: boolean;
  /** Clients reach the nodes through proxies as well. */
  readonly hasClientProxies?: boolean;
  /** An empty directory; one is made if none is given. It goes with the cluster. */
  readonly directory?: string;
  /** The command, as built; this product's own if absent. */
  readonly program?: string;
  /** Variables of the processes; this one's if absent. */
  readonly environment?: NodeJS.ProcessEnv;
  /** How long the nodes may take until they serve. */
  readonly readyMs?: number;
}

const portsPerNode = 5;

/** Where one node listens, and where it is found. */
interface Place {
  readonly id: number;
  readonly isBroker: boolean;
  readonly isController: boolean;
  readonly listen: number;
  readonly found: number;
  readonly peerListen: number;
  readonly peerFound: number;
  readonly http: number;
}

export class ProcessCluster {
  readonly nodes: readonly ProcessNode[];
  readonly directory: string;
  /** Has a say only where the cluster has proxies. */
  readonly network: PeerNetwork;
  readonly #brokers: readonly string[];

  private constructor(
    directory: string,
    network: PeerNetwork,
    nodes: readonly ProcessNode[],
    brokers: readonly string[],
  ) {
    this.directory = directory;
    this.network = network;
    this.nodes = nodes;
    this.#brokers = brokers;
  }

  /** Resolves once every node serves. */
  static async start(options: ProcessClusterOptions): Promise<ProcessCluster> {
    const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'highwater-')));
    const places = await placesOf(options);
    const network = new PeerNetwork();
    const quorum = places
      .filter(({ isController }) => isController)
      .map(({ id, peerFound }) => `${id}@127.0.0.1:${peerFound}`)
      .join(',');
    for (const place of places) {
      if (place.peerFound !== place.peerListen)
        await network.front(place.id, place.peerFound, place.peerListen);
      if (place.found !== place.listen)
        await network.frontClients(place.id, place.found, place.listen);
    }
    const nodes = places.map(
      (place) =>
        new ProcessNode({
          id: place.id,
          settings: new Map([
            ...settingsOf(place, directory, quorum),
            ...Object.entries(options.settings ?? {}),
          ]),
          logPath: join(directory, `node-${place.id}.log`),
          directory,
          ...(options.program === undefined ? {} : { program: options.program }),
          ...(options.environment === undefined ? {} : { environment: options.environment }),
        }),
    );
    const brokers = places.filter(({ isBroker }) => isBroker).map(({ found }) => at(found));
    const cluster = new ProcessCluster(directory, network, nodes, brokers);
    for (const node of nodes) node.start();
    try {
      await Promise.all(nodes.map((node) => node.ready(options.readyMs)));
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  /** Addresses for a client. */
  get brokers(): readonly string[] {
    return this.#brokers;
  }

  node(id: number): ProcessNode {
    const node = this.nodes[id - 1];
    if (node === undefined) throw new HighwaterError('UNKNOWN_BROKER', `there is no node ${id}`);
    return node;
  }

  /** Ends every node at once, and removes what they kept. */
  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill('SIGKILL')));
    await this.network.close();
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

async function placesOf(options: ProcessClusterOptions): Promise<Place[]> {
  const { nodes, controllers = 0, hasProxies = false, hasClientProxies = false } = options;
  const ports = await freePorts((nodes + controllers) * portsPerNode);
  return Array.from({ length: nodes + controllers }, (_, index) => {
    const [listen = 0, peerListen = 0, http = 0, peerProxy = 0, proxy = 0] = ports.slice(
      index * portsPerNode,
      (index + 1) * portsPerNode,
    );
    const isBroker = index < nodes;
    return {
      id: index + 1,
      isBroker,
      isController: controllers === 0 || !isBroker,
      listen,
      found: hasClientProxies && isBroker ? proxy : listen,
      peerListen,
      peerFound: hasProxies ? peerProxy : peerListen,
      http,
    };
  });
}

function settingsOf(place: Place, directory: string, quorum: string): [string, string][] {
  const { id, isBroker, isController } = place;
  const roles = [...(isBroker ? ['broker'] : []), ...(isController ? ['controller'] : [])];
  return [
    ['node-id', String(id)],
    ['roles', roles.join(',')],
    ['data', join(directory, `node-${id}`)],
    ['disk-reserve-bytes', '0'],
    ['quorum', quorum],
    ['listen', at(place.listen)],
    ['advertised-listen', at(place.found)],
    ['peer-listen', at(place.peerListen)],
    ['advertised-peer-listen', at(place.peerFound)],
    ['http-listen', at(place.http)],
  ];
}

function at(port: number): string {
  return `127.0.0.1:${port}`;
}
