/** Clients that use every method of the public surface once, refusals included. */
import { type Client, connect } from '../../client/index.ts';
import { fetchService } from '../../proto/generated/highwater/v1/fetch.ts';
import { metadataService } from '../../proto/generated/highwater/v1/metadata.ts';
import { produceService } from '../../proto/generated/highwater/v1/produce.ts';
import { partitionNumber, type TopicId } from '../../proto/model/ids.ts';
import { offset, revision } from '../../proto/model/offset.ts';
import { nodeClock } from '../../proto/ports/node/node-clock.ts';
import type { RpcChannel } from '../../proto/ports/rpc.ts';
import { GrpcConnector } from '../../proto/rpc/grpc/connector.ts';
import { leaderWithIsr } from '../support/cluster-view.ts';

const topic = 'golden';
const place = { topic, partition: 0 };
const group = 'golden-group';
const deadlineMs = 10_000;

/** Voters are nodes 1 to 3; node 4 is a broker only. */
export async function useEverything(brokers: readonly string[]): Promise<void> {
  const client = await connect({ brokers });
  try {
    await changeTopics(client);
    await writeAndRead(client);
    await useGroup(client);
    const leader = await leaderWithIsr(client, place, 3);
    await plainCalls(brokers[leader - 1] ?? '');
    await moveThings(client, leader);
    for await (const event of client.admin.events()) void event;
  } finally {
    await client.close();
  }
}

async function changeTopics({ admin }: Client): Promise<void> {
  await admin.createTopic({ name: topic, partitions: 1, replicationFactor: 3 });
  await admin.createTopic({ name: 'gone', partitions: 2, replicationFactor: 1 });
  await admin.alterTopic(topic, { 'retention.ms': '-1' });
  await admin.addPartitions('gone', 3);
  await admin.deleteTopic('gone');
  await refusedWith('INVALID_TOPIC', admin.createTopic({ name: 'no/name' }));
  await refusedWith('UNKNOWN_TOPIC', admin.describeTopic('gone'));
}

async function writeAndRead(client: Client): Promise<void> {
  const producer = client.producer();
  for (const acks of ['none', 'leader', 'semi-sync', 'all'] as const)
    for (let count = 0; count < 3; count++)
      await producer.send(
        { ...place, key: `key ${count}`, value: `${acks} ${count}`, headers: { acks } },
        { acks },
      );
  const early = await producer.send({ ...place, value: 'early' }, { acks: 'leader' });
  await early.reached('all');
  await refusedWith(
    'OFFSET_MISMATCH',
    producer.sendBatch([{ ...place, value: 'no' }], { expectedOffset: 1n }),
  );
  await producer.close();
  for (const from of ['earliest', { timestamp: 0 }, { last: 2 }] as const)
    for await (const record of client.reader({ ...place, from, to: 'latest' })) void record;
  await client.admin.deleteRecords({ ...place, before: 2n });
  await client.admin.describeTopic(topic);
}

async function useGroup(client: Client): Promise<void> {
  const consumer = client.consumer({ group, topics: [topic], from: 'earliest' });
  for await (const record of consumer) {
    await consumer.commit(record);
    break;
  }
  await client.groups.list();
  await client.groups.describe(group);
  await consumer.close();
  await client.groups.reset(group, { topic, to: 'earliest' });
  await client.groups.delete(group);
}

/** The unary forms, as a tool of another language would use them. */
async function plainCalls(leader: string): Promise<void> {
  const channel = new GrpcConnector({ clock: nodeClock }).connect(leader, 'golden');
  try {
    await plainWrite(channel);
    const read = { topicId: noTopicId, topic, partition: partitionNumber(0), offset: offset(2) };
    const bounds = { maxWaitMs: 100, minBytes: 1, maxBytes: 100_000 };
    await channel.unary(
      fetchService.fetch,
      { partitions: [{ ...read, maxBytes: 10_000 }], ...bounds, level: 'linearizable' },
      { deadlineMs },
    );
    await channel.unary(
      metadataService.getMetadata,
      { topics: [topic], minRevision: revision(1), linearizable: true },
      { deadlineMs },
    );
  } finally {
    await channel.close();
  }
}

async function plainWrite(channel: RpcChannel): Promise<void> {
  const record = {
    key: Buffer.from('plain'),
    value: Buffer.from('written by hand'),
    headers: [{ key: 'some', value: Buffer.from('header') }],
    timestamp: 1_700_000_000_000,
  };
  await channel.unary(
    produceService.produce,
    {
      requestId: 7,
      acks: 'all',
      timeoutMs: 5_000,
      partitions: [
        {
          topicId: noTopicId,
          topic,
          partition: partitionNumber(0),
          batchBytes: 0,
          records: [record],
        },
      ],
      batches: [],
    },
    { deadlineMs },
  );
}

/** The request names its topic. */
const noTopicId = '' as TopicId;

async function moveThings({ admin }: Client, leader: number): Promise<void> {
  const [info] = (await admin.describeTopic(topic)).partitions;
  const replicas = info?.replicas ?? [];
  await admin.elect(place, { leader: otherThan(leader, replicas) });
  await admin.drain(4);
  await admin.drain(4, { undo: true });
  await admin.reassign(place, replicas.toReversed());
  const { controller = 1 } = await admin.describeCluster();
  await admin.transferController(otherThan(controller, [1, 2, 3]));
  await refusedWith('INVALID_VOTERS', admin.addVoter(4, { timeoutMs: 5_000 }));
  await admin.finaliseFeatures();
  await admin.remove(4);
}

function otherThan(one: number, nodes: readonly number[]): number {
  return nodes.find((node) => node !== one) ?? one;
}

async function refusedWith(code: string, doing: Promise<unknown>): Promise<void> {
  const refusal = await doing.then(
    () => undefined,
    (error: unknown) => error,
  );
  if ((refusal as { code?: string } | undefined)?.code !== code)
    throw new Error(`expected to be refused with ${code}`, { cause: refusal });
}
