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
}

export interface DevLayout {
  readonly nodes: readonly DevNode[];
  readonly quorum: string;
}

const file = 'cluster.json';

/** Where the ports of a cluster begin that somebody types commands at, if they are free. */
export const usualPort = 9092;

/** The layout that the directory has, or a new one for so many nodes, on ports from `port` or on any. */
export async function devLayout(
  directory: string,
  count: number | undefined,
  port?: number,
): Promise<DevLayout> {
  const path = join(directory, file);
  if (existsSync(path)) return keptLayout(path, directory, count);
  const nodes = count ?? 3;
  const ports = await freePorts(nodes * 3, port);
  mkdirSync(directory, { recursive: true });
  writeFileSync(path, `${JSON.stringify({ nodes, ports })}\n`);
  return layoutOf(directory, nodes, ports);
}

function keptLayout(path: string, directory: string, count: number | undefined): DevLayout {
  let kept: { nodes: number; ports: number[] };
  try {
    kept = JSON.parse(readFileSync(path, 'utf8')) as { nodes: number; ports: number[] };
  } catch (cause) {
    throw new HighwaterError('INVALID_CONFIG', `${path} cannot be read`, { cause });
  }
  if (count !== undefined && count !== kept.nodes) {
    throw new UsageError(
      `${directory} holds a cluster of ${kept.nodes} nodes, not ${count}; choose another --data`,
    );
  }
  return layoutOf(directory, kept.nodes, kept.ports);
}

function layoutOf(directory: string, count: number, ports: readonly number[]): DevLayout {
  const at = (index: number): string => `127.0.0.1:${ports[index] ?? 0}`;
  const nodes = Array.from({ length: count }, (_, index) => ({
    id: index + 1,
    data: join(directory, `node-${index + 1}`),
    grpc: at(index * 3),
    peer: at(index * 3 + 1),
    http: at(index * 3 + 2),
  }));
  return { nodes, quorum: nodes.map((node) => `${node.id}@${node.peer}`).join(',') };
}

/** The settings of one node, as flags of `highwater server` or as a map. */
export function devSettings(layout: DevLayout, node: DevNode): ReadonlyMap<string, string> {
  return new Map([
    ['node-id', String(node.id)],
    ['data', node.data],
    ['quorum', layout.quorum],
    ['listen', node.grpc],
    ['peer-listen', node.peer],
    ['http-listen', node.http],
  ]);
}
