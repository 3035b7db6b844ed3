/** The bytes that nodes send each other while they form a cluster and do one of everything. */
import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import { connect } from '../../client/index.ts';
import { leaderWithIsr } from '../support/cluster-view.ts';
import { capture, capturedIds, voters } from './captured-cluster.ts';

/** One connection: what the dialling node sent, and what it got. */
export interface Conversation {
  readonly there: Buffer[];
  readonly back: Buffer[];
}

/** Runs the cluster behind proxies that keep what passes. */
export async function captureWire(): Promise<readonly Conversation[]> {
  const conversations: Conversation[] = [];
  await capture({
    addresses: (at) => ({ listen: at(0), 'peer-listen': at(2), 'advertised-peer-listen': at(1) }),
    voterAddress: 1,
    proxy: (port) => proxy(port(1), port(2), conversations),
    work: (at) => work(capturedIds.map((id) => at(id, 0))),
  });
  return conversations;
}

async function work(brokers: readonly string[]): Promise<void> {
  const client = await connect({ brokers });
  const place = { topic: 'golden', partition: 0 };
  await client.admin.createTopic({ name: 'golden', partitions: 1, replicationFactor: 3 });
  const producer = client.producer();
  for (const acks of ['all', 'semi-sync'] as const)
    for (let count = 0; count < 5; count++)
      await producer.send({ ...place, value: `${acks} ${count}` }, { acks });
  const leader = await leaderWithIsr(client, place, 3);
  const [info] = (await client.admin.describeTopic('golden')).partitions;
  await client.admin.elect(place, { leader: otherIn(info?.replicas ?? [], leader) });
  const { controller = 1 } = await client.admin.describeCluster();
  await client.admin.transferController(otherIn(voters, controller));
  await producer.send({ ...place, value: 'last' });
  await producer.close();
  await client.close();
}

function otherIn(nodes: readonly number[], one: number): number {
  return nodes.find((node) => node !== one) ?? one;
}

function proxy(listen: number, target: number, conversations: Conversation[]): Server {
  const server = createServer((dialler: Socket) => {
    const answerer = dial(target, '127.0.0.1');
    const conversation: Conversation = { there: [], back: [] };
    conversations.push(conversation);
    dialler.on('data', (chunk: Buffer) => conversation.there.push(chunk));
    answerer.on('data', (chunk: Buffer) => conversation.back.push(chunk));
    dialler.pipe(answerer);
    answerer.pipe(dialler);
    for (const [own, other] of [
      [dialler, answerer],
      [answerer, dialler],
    ] as const)
      own.on('error', () => other.destroy()).on('close', () => other.destroy());
  });
  return server.listen(listen, '127.0.0.1');
}
