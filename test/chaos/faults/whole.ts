/** A cluster with everything in its place. */
import { until } from '../../../broker/main/fleet/cluster-view.ts';
import type { Client, PartitionInfo } from '../../../client/index.ts';

/** How many replicas each partition of a run has. */
export const replicasEach = 3;
/** Far above what it takes, so that a machine that is busy with other work is no fault. */
const wholeMs = 180_000;

/** Resolves once every partition has a leader, its replicas are where they belong, and all are in sync. */
export async function whole(client: Client): Promise<void> {
  await until(
    async () => {
      const topics = await client.admin.listTopics({ timeoutMs: 2_000 });
      const infos = await Promise.all(
        topics.map(({ name }) => client.admin.describeTopic(name, { timeoutMs: 2_000 })),
      );
      return infos.flatMap(({ partitions }) => partitions);
    },
    (partitions) => partitions.every(isWhole),
    'every partition led and all replicas in sync',
    wholeMs,
  );
}

function isWhole({ leader, isr, replicas }: PartitionInfo): boolean {
  const isInPlace = replicas.length === replicasEach && isr.length === replicasEach;
  return leader !== undefined && isInPlace && replicas.every((node) => isr.includes(node));
}
