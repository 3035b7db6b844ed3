/**
 * Where the nodes of a development cluster listen and keep their data. Chosen once for a directory and
 * kept in it, so that a second start finds the same cluster: voters know each other by address.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../../client/cli/verb.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import { freePorts } from './free-ports.ts';

export interface DevNode {
  readonly id: number;
  readonly data: string;
  readonly grpc: string;
  readonly peer: string;
  readonly http: string;
  /** Where the other nodes find it: a proxy that can be held and slowed, or `peer` itself. */
  readonly peerFound: string;
}

export interface DevLayout {
  readonly nodes: readonly DevNode[];
  readonly quorum: string;
  /** Nodes reach each other through proxies. */
  readonly hasProxies: boolean;
  /** Port of the dashboard with buttons. */
  readonly front: number;
}

/** What is kept: for each node the ports of clients, peers and HTTP; then a proxy each, if any; the front. */
interface Kept {
  readonly nodes: number;
  readonly ports: readonly number[];
}

export interface DevLayoutOptions {
  readonly count: number | undefined;
  /** The first of the ports, if they are free; any by default. */
  readonly port?: number;
  readonly hasProxies?: boolean;
}

const file = 'cluster.json';

/** Where the ports of a cluster begin that somebody types commands at, if they are free. */
export const usualPort = 9092;

/** The layout that the directory has, or a new one. */
export async function devLayout(directory: string, options: DevLayoutOptions): Promise<DevLayout> {
  const { count, port, hasProxies = false } = options;
  const path = join(directory, file);
  if (existsSync(path)) return keptLayout(path, directory, count);
  const nodes = count ?? 3;
  const ports = await freePorts(nodes * (hasProxies ? 4 : 3) + 1, port);
  mkdirSync(directory, { recursive: true });
  writeFileSync(path, `${JSON.stringify({ nodes, ports } satisfies Kept)}\n`);
  return layoutOf(directory, { nodes, ports });
}

function keptLayout(path: string, directory: string, count: number | undefined): DevLayout {
  let kept: Kept;
  try {
    kept = JSON.parse(readFileSync(path, 'utf8')) as Kept;
  } catch (cause) {
    throw new HighwaterError('INVALID_CONFIG', `${path} cannot be read`, { cause });
  }
  if (count !== undefined && count !== kept.nodes) {
    throw new UsageError(
      `${directory} holds a cluster of ${kept.nodes} nodes, not ${count}; choose another --data`,
    );
  }
  return layoutOf(directory, kept);
}

function layoutOf(directory: string, { nodes: count, ports }: Kept): DevLayout {
  const at = (index: number): string => `127.0.0.1:${ports[index] ?? 0}`;
  // Three ports a node, a fourth where there are proxies, and one for the front.
  const hasProxies = ports.length === count * 4 + 1;
  const nodes = Array.from({ length: count }, (_, index) => ({
    id: index + 1,
    data: join(directory, `node-${index + 1}`),
    grpc: at(index * 3),
    peer: at(index * 3 + 1),
    http: at(index * 3 + 2),
    peerFound: at(hasProxies ? count * 3 + index : index * 3 + 1),
  }));
  const quorum = nodes.map((node) => `${node.id}@${node.peerFound}`).join(',');
  return { nodes, quorum, hasProxies, front: ports[count * (hasProxies ? 4 : 3)] ?? 0 };
}

/** The settings of one node, as flags of `highwater server` or as a map. */
export function devSettings(layout: DevLayout, node: DevNode): ReadonlyMap<string, string> {
  return new Map([
    ['node-id', String(node.id)],
    ['data', node.data],
    ['quorum', layout.quorum],
    ['listen', node.grpc],
    ['peer-listen', node.peer],
    ['advertised-peer-listen', node.peerFound],
    ['http-listen', node.http],
  ]);
}
