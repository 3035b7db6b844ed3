/** What is there in the end: each replica as clients see it, and the files of the stopped nodes. */
import { join } from 'node:path';
import { readReplica as readServed, until } from '../../broker/main/fleet/cluster-view.ts';
import type { ProcessCluster } from '../../broker/main/fleet/process-cluster.ts';
import type { Client } from '../../client/index.ts';
import { auditReplicas } from './audit/audit-replicas.ts';
import { readReplica } from './audit/read-replica.ts';
import type { Operation, Poll, Send } from './history/operation.ts';
import { partitionName } from './workload.ts';

/** A partition, and the nodes that have it when everything has come to rest. */
export interface PlacedPartition {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  readonly replicas: readonly number[];
}

export async function placesOf(client: Client): Promise<PlacedPartition[]> {
  const topics = await client.admin.listTopics();
  const infos = await Promise.all(
    topics.map(async ({ name }) => ({ topic: name, ...(await client.admin.describeTopic(name)) })),
  );
  return infos.flatMap(({ topic, topicId, partitions }) =>
    partitions.map(({ partition, replicas }) => ({ topic, topicId, partition, replicas })),
  );
}

/**
 * Reads every replica of every partition until it shows what was acknowledged; what is there becomes part of
 * the history. A sentence for each that did not get there.
 */
export async function readEverything(
  client: Client,
  places: readonly PlacedPartition[],
  history: Operation[],
): Promise<string[]> {
  const wrong: string[] = [];
  for (const { topic, partition, replicas } of places)
    for (const node of replicas) {
      const name = partitionName(topic, partition);
      const end = topic === 'leader' ? 0 : endOf(acknowledged(history, name));
      const invokedMs = performance.now();
      let records: Poll['records'] = [];
      await until(
        async () => {
          records = (await readServed(client, { topic, partition }, node)).map(
            ({ offset, value }) => ({ offset: Number(offset), value: value.toString() }),
          );
          return (records.at(-1)?.offset ?? -1) + 1;
        },
        // A replica learns of the watermark a little after the leader.
        (reached) => reached >= end,
        `node ${node} shows ${name} up to ${end}`,
        120_000,
      ).catch((caught: unknown) => wrong.push(String(caught)));
      const times = { invokedMs, completedMs: performance.now() };
      const process = `final-${node}`;
      history.push({ kind: 'poll', process, partition: name, ...times, records, finalOf: node });
    }
  return wrong;
}

/** What is wrong in the files, a sentence each. */
export function auditFiles(
  cluster: ProcessCluster,
  places: readonly PlacedPartition[],
  history: readonly Operation[],
): string[] {
  return places.flatMap(({ topic, topicId, partition, replicas }) => {
    const name = partitionName(topic, partition);
    try {
      const contents = new Map(
        replicas.map((id) => [
          id,
          readReplica(join(cluster.node(id).data, 'logs', `${topicId}-${partition}`)),
        ]),
      );
      const kept = topic === 'leader' ? [] : acknowledged(history, name);
      return auditReplicas({ partition: name, replicas: contents, acknowledged: kept });
    } catch (caught) {
      return [`${name}: ${caught instanceof Error ? caught.message : String(caught)}`];
    }
  });
}

function acknowledged(history: readonly Operation[], partition: string): Send[] {
  return history.filter(
    (one): one is Send =>
      one.kind === 'send' && one.outcome === 'ok' && one.partition === partition,
  );
}

/** The offset behind the last of them. */
function endOf(sends: readonly Send[]): number {
  return sends.reduce((end, { offset = -1 }) => Math.max(end, offset + 1), 0);
}
