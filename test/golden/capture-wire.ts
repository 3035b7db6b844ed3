/** The bytes that nodes send each other while they form a cluster and do one of everything. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProcessNode } from '../../broker/main/fleet/process-node.ts';
import { freePorts } from '../../broker/main/free-ports.ts';
import { connect } from '../../client/index.ts';
import { leaderWithIsr } from '../support/cluster-view.ts';
import { program } from './capture-node.ts';

/** One connection: what the dialling node sent, and what it got. */
export interface Conversation {
  readonly there: Buffer[];
  readonly back: Buffer[];
}

const voters = [1, 2, 3];
/** The last one is a broker only, so that it follows the metadata over the wire. */
const ids = [...voters, 4];

/** Runs the cluster behind proxies that keep what passes. */
export async function captureWire(): Promise<readonly Conversation[]> {
  const directory = await mkdtemp(join(tmpdir(), 'highwater-golden-'));
  const ports = await freePorts(ids.length * 4);
  const port = (id: number, which: number): number => ports[(id - 1) * 4 + which] ?? 0;
  const quorum = voters.map((id) => `${id}@127.0.0.1:${port(id, 1)}`).join(',');
  const conversations: Conversation[] = [];
  const proxies = ids.map((id) => proxy(port(id, 1), port(id, 2), conversations));
  const nodes = ids.map(
    (id) =>
      new ProcessNode({
        id,
        program,
        settings: new Map([
          ['node-id', String(id)],
          ['data', join(directory, `node-${id}`)],
          ['quorum', quorum],
          ['roles', voters.includes(id) ? 'broker,controller' : 'broker'],
          ['listen', `127.0.0.1:${port(id, 0)}`],
          ['peer-listen', `127.0.0.1:${port(id, 2)}`],
          ['advertised-peer-listen', `127.0.0.1:${port(id, 1)}`],
          ['http-listen', `127.0.0.1:${port(id, 3)}`],
          ['disk-reserve-bytes', '0'],
        ]),
        logPath: join(directory, `node-${id}.log`),
      }),
  );
  for (const node of nodes) node.start();
  try {
    await Promise.all(nodes.map((node) => node.ready()));
    await work(nodes.map(({ grpc }) => grpc));
  } finally {
    await Promise.all(nodes.map((node) => node.kill('SIGKILL')));
    for (const server of proxies) server.close();
    await rm(directory, { recursive: true, force: true });
  }
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
