import { groupService } from '../../../proto/generated/highwater/v1/group.ts';
import { HighwaterError } from '../../../proto/model/errors.ts';
import { nodeId, partitionNumber } from '../../../proto/model/ids.ts';
import type { RpcServer } from '../../../proto/ports/rpc.ts';
import type { FakeCluster } from './fake-cluster.ts';

/**
 * The group service of one broker. Broker 1 coordinates every group. It gives a member all partitions when
 * it joins, and keeps it for ever: no silence is too long for it.
 */
export function coordinateGroups(server: RpcServer, cluster: FakeCluster): void {
  server.unary(groupService.findCoordinator, async () => ({
    nodeId: nodeId(1),
    host: 'b1',
    port: 9092,
  }));
  server.stream(groupService.join, (stream) => ({
    onMessage: ({ message }) => {
      if (message?.kind === 'leave') stream.end();
      if (message?.kind === 'heartbeat') stream.send({ message: { kind: 'heartbeat', value: {} } });
      if (message?.kind !== 'hello') return;
      const partitions = Array.from(cluster.topics.values(), (topic) => ({
        topicId: topic.topicId,
        topic: topic.name,
        partitions: topic.partitions.map((_, index) => partitionNumber(index)),
        given: topic.partitions.map(() => 1),
      }));
      stream.send({ message: { kind: 'assignment', value: { generation: 1, partitions } } });
    },
    onClose: () => stream.end(),
  }));
  server.unary(groupService.commitOffsets, async ({ offsets }) => {
    if (!cluster.takesCommits) throw new HighwaterError('COORDINATOR_LOADING', 'not yet');
    for (const one of offsets) {
      cluster.committed.set(`${one.topicId}/${one.partition}`, one);
      cluster.commits.push(Number(one.position?.offset));
    }
    return { results: offsets.map(({ topicId, partition }) => ({ topicId, partition })) };
  });
  server.unary(groupService.fetchOffsets, async ({ partitions }) => ({
    offsets: partitions.flatMap((one) =>
      one.partitions.flatMap(
        (partition) => cluster.committed.get(`${one.topicId}/${partition}`) ?? [],
      ),
    ),
  }));
}
