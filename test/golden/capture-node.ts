/** A node that runs alone, makes one of everything that is kept on disk, and leaves its directory. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { ProcessNode } from '../../broker/main/fleet/process-node.ts';
import { freePorts } from '../../broker/main/free-ports.ts';
import { type Client, connect } from '../../client/index.ts';

/** What the directory must hold, as it was told when it was written. */
export interface NodeExpectation {
  readonly clusterId: string;
  readonly storageId: string;
  readonly featureLevel: number;
  readonly topics: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly records: readonly { readonly offset: number; readonly value: string }[];
  readonly committed: number;
  /** The offset at which the next idempotent write of any producer lands. */
  readonly end: number;
}

/** The command as it is built now. */
export const program = fileURLToPath(new URL('../../dist/broker/main/cli.js', import.meta.url));
export const topic = 'golden';
export const many = 'golden-many';
export const manyPartitions = 48;
const recordCount = 60;

/** A node with this directory, on free ports. */
export async function nodeOn(directory: string): Promise<ProcessNode> {
  const [listen, peer, http] = await freePorts(3);
  return new ProcessNode({
    id: 1,
    program,
    settings: new Map([
      ['node-id', '1'],
      ['data', directory],
      ['quorum', `1@127.0.0.1:${peer}`],
      ['listen', `127.0.0.1:${listen}`],
      ['peer-listen', `127.0.0.1:${peer}`],
      ['http-listen', `127.0.0.1:${http}`],
      ['disk-reserve-bytes', '0'],
    ]),
    logPath: `${directory}.log`,
  });
}

/** Writes the directory: killed, so that it holds what only recovery can put in order. */
export async function writeNode(directory: string): Promise<NodeExpectation> {
  const node = await nodeOn(directory);
  node.start();
  try {
    await node.ready();
    return await fill(node);
  } finally {
    await node.kill('SIGKILL');
  }
}

async function fill(node: ProcessNode): Promise<NodeExpectation> {
  const config = { 'retention.ms': '-1', 'segment.bytes': '1048576' };
  const client = await connect({ brokers: [node.grpc] });
  try {
    const one = { partitions: 1, replicationFactor: 1, config: { 'min.insync.replicas': '1' } };
    await client.admin.createTopic({ ...one, name: topic });
    await client.admin.createTopic({ ...one, name: 'deleted' });
    await client.admin.alterTopic(topic, config);
    await client.admin.addPartitions(topic, 2);
    await client.admin.deleteTopic('deleted');
    const records: { offset: number; value: string }[] = [];
    for (const compression of ['none', 'gzip'] as const) {
      const producer = client.producer({ acks: 'all', compression });
      for (let count = 0; count < recordCount / 2; count++) {
        const value = `${compression} ${count} ${'v'.repeat(count * 3)}`;
        const { offset } = await producer.send({ topic, partition: 0, key: `key ${count}`, value });
        records.push({ offset: Number(offset), value });
      }
      await producer.close();
    }
    await writeMany(client);
    const consumer = client.consumer({ group: 'golden-group', topics: [topic], from: 'earliest' });
    let committed = 0;
    for await (const record of consumer) {
      if (record.partition !== 0 || Number(record.offset) < 9) continue;
      await consumer.commit(record);
      committed = Number(record.offset) + 1;
      break;
    }
    await consumer.close();
    const { clusterId, voters, featureLevel } = await client.admin.describeCluster();
    const storageId = voters[0]?.storageId ?? '';
    const topics = { [topic]: { ...one.config, ...config } };
    return { clusterId, storageId, featureLevel, topics, records, committed, end: records.length };
  } finally {
    await client.close();
  }
}

/** Many logs at once, so that their round goes through the flush journal. */
async function writeMany(client: Client): Promise<void> {
  const spec = { partitions: manyPartitions, replicationFactor: 1 };
  await client.admin.createTopic({ ...spec, name: many, config: { 'min.insync.replicas': '1' } });
  const producer = client.producer({ acks: 'all' });
  const partitions = Array.from({ length: manyPartitions }, (_, partition) => partition);
  await Promise.all(
    partitions.map((partition) =>
      producer.send({ topic: many, partition, value: `many ${partition}` }),
    ),
  );
  await producer.close();
}

/** Keeps each file of a directory, compressed. */
export async function packDirectory(from: string, to: string): Promise<void> {
  for (const path of await filesBelow(from)) {
    const target = join(to, `${relative(from, path)}.gz`);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, gzipSync(await readFile(path), { level: 9 }));
  }
}

/** Lays the files out as they were. */
export async function unpackDirectory(from: string, to: string): Promise<void> {
  await rm(to, { recursive: true, force: true });
  for (const path of await filesBelow(from)) {
    const target = join(to, relative(from, path).slice(0, -'.gz'.length));
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, gunzipSync(await readFile(path)));
  }
}

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name !== 'lock' && !entry.name.endsWith('-lock'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.endsWith('lock.mdb'));
}
