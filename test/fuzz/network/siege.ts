/**
 * A real node under everything that strangers can send to its three ports, while a writer and a reader use
 * it. It has to stay ready all the time, keep its process and its memory, and have every record in the end.
 */
import { readReplica, until } from '../../../broker/main/fleet/cluster-view.ts';
import { connect } from '../../../client/index.ts';
import { clusterId } from '../../../proto/model/ids.ts';
import { ProcessCluster, type ProcessNode } from '../../support/process-cluster.ts';
import { SteadyWriter } from '../../support/steady-writer.ts';
import { seededRandom } from '../random.ts';
import type { Attack, Battlefield } from './attack.ts';
import * as grpc from './grpc-attacks.ts';
import * as http from './http-attacks.ts';
import * as peer from './peer-attacks.ts';

export interface SiegeOptions {
  readonly seed: number;
  readonly seconds: number;
}

export interface SiegeReport {
  /** How many of each kind. */
  readonly attacks: ReadonlyMap<string, number>;
  readonly acknowledged: number;
  /** The longest time in which nothing was acknowledged. */
  readonly longestGapMs: number;
  /** Resident memory after a first round, at most, and at the end. */
  readonly bytes: { readonly before: number; readonly most: number; readonly after: number };
  /** What must not be, a sentence each. */
  readonly faults: readonly string[];
}

const attacks: Readonly<Record<string, Attack>> = {
  'grpc-messages': grpc.messages,
  'http2-frames': grpc.frames,
  'http2-resets': grpc.resets,
  noise: grpc.noise,
  hellos: peer.hellos,
  'link-frames': peer.frames,
  'http-requests': http.requests,
};
const attackers = 6;
const place = { topic: 'kept', partition: 0 };
const MiB = 1024 * 1024;
const memory = { 'memory-bytes': String(64 * MiB) };
/** What a node may hold above what it held after its first seconds under fire. */
const growthBytesMax = 192 * MiB;
/** A machine that is busy with other work makes everything slow; who stalls for longer is not ready. */
const readyWithinMs = 30_000;
const acknowledgesWithinMs = 60_000;

export async function besiege({ seed, seconds }: SiegeOptions): Promise<SiegeReport> {
  const cluster = await ProcessCluster.start({ nodes: 1, settings: memory });
  try {
    const node = cluster.node(1);
    const { pid } = node;
    await using client = await connect({ brokers: cluster.brokers });
    const config = { 'min.insync.replicas': '1' };
    await client.admin.createTopic({
      ...{ name: place.topic, config },
      partitions: 1,
      replicationFactor: 1,
    });
    const described = await client.admin.describeCluster();
    const field = fieldOf(node, described.clusterId);
    const writer = new SteadyWriter(client, { topic: place.topic });
    await writer.acknowledges(50);
    const faults: string[] = [];
    const fired = new Map<string, number>();
    const warm = await fire(field, { seed: seed + 1_000_000, seconds: seconds / 4 }, node);
    const before = await residentBytes(node);
    writer.takeLongestGapMs();
    const fought = await fire(field, { seed, seconds: (3 * seconds) / 4 }, node);
    const longestGapMs = writer.takeLongestGapMs();
    for (const round of [warm, fought]) {
      faults.push(...round.faults);
      for (const [name, count] of round.fired) fired.set(name, (fired.get(name) ?? 0) + count);
    }
    const after = await residentBytes(node);
    const most = Math.max(after, fought.most);
    if (most - before > growthBytesMax) faults.push(`memory grew from ${before} to ${most} bytes`);
    if (node.pid !== pid || !node.isRunning) faults.push('the process has ended');
    await writer.acknowledges(50, acknowledgesWithinMs);
    await writer.stop();
    for (const [kind, count] of writer.failures) faults.push(`${count} sends failed: ${kind}`);
    const found = await readReplica(client, place);
    const { acknowledged, ...wrong } = writer.history.check(found);
    for (const [what, count] of Object.entries(wrong))
      if (count > 0) faults.push(`${count} records ${what}`);
    return { attacks: fired, acknowledged, longestGapMs, bytes: { before, most, after }, faults };
  } finally {
    await cluster.stop();
  }
}

interface Round {
  readonly fired: ReadonlyMap<string, number>;
  readonly most: number;
  readonly faults: readonly string[];
}

/** Several attackers at once, and somebody who asks all the time whether the node is well. */
async function fire(
  field: Battlefield,
  { seed, seconds }: SiegeOptions,
  node: ProcessNode,
): Promise<Round> {
  const fired = new Map<string, number>();
  const faults: string[] = [];
  const names = Object.keys(attacks);
  const end = performance.now() + seconds * 1_000;
  let most = 0;
  const attacker = async (number: number): Promise<void> => {
    const random = seededRandom(seed * attackers + number);
    while (performance.now() < end && faults.length === 0) {
      const name = names[random.below(names.length)] ?? '';
      await attacks[name]?.(field, random);
      fired.set(name, (fired.get(name) ?? 0) + 1);
    }
  };
  const watcher = async (): Promise<void> => {
    while (performance.now() < end && faults.length === 0) {
      await node.ready(readyWithinMs).catch((caught: unknown) => faults.push(String(caught)));
      most = Math.max(most, await residentBytes(node));
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  };
  await Promise.all([watcher(), ...Array.from({ length: attackers }, (_, at) => attacker(at))]);
  return { fired, most, faults };
}

function residentBytes(node: ProcessNode): Promise<number> {
  return until(
    async () => (await node.metric('highwater_resident_bytes')) ?? 0,
    (bytes) => bytes > 0,
    'the node tells of its memory',
    readyWithinMs,
  );
}

function fieldOf(node: ProcessNode, cluster: string): Battlefield {
  const portOf = (address: string): number => Number(address.slice(address.lastIndexOf(':') + 1));
  return {
    grpcPort: portOf(node.grpc),
    peerPort: portOf(node.peer),
    httpPort: portOf(node.http),
    clusterId: clusterId(cluster),
    nodeId: node.id,
  };
}
