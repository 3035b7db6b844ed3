/**
 * What was written and sent at each feature level is read by the code of today. The data of a level is
 * made once, when the level is the newest (`generate.ts`), and never again.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type Client, connect } from '../../client/index.ts';
import { readReplica } from '../support/cluster-view.ts';
import type { KeptCall } from './capture-grpc.ts';
import {
  many,
  manyPartitions,
  type NodeExpectation,
  nodeOn,
  topic,
  unpackDirectory,
} from './capture-node.ts';
import { readCall } from './read-grpc.ts';
import { readConversation } from './read-wire.ts';

const root = fileURLToPath(new URL('.', import.meta.url));
const levels = (await readdir(root)).filter((name) => name.startsWith('level-'));

describe.each(levels)('what was kept at %s', (level) => {
  it('is a directory that a node starts from, with everything that was acknowledged', async () => {
    const text = await readFile(join(root, level, 'node.json'), 'utf8');
    const expected = JSON.parse(text) as NodeExpectation;
    const scratch = await mkdtemp(join(tmpdir(), 'highwater-golden-'));
    const directory = join(scratch, 'node');
    await unpackDirectory(join(root, level, 'node'), directory);
    const node = await nodeOn(directory);
    node.start();
    try {
      await node.ready();
      const client = await connect({ brokers: [node.grpc] });
      try {
        await expectKept(client, expected);
      } finally {
        await client.close();
      }
      expect(await node.kill('SIGTERM')).toBe(0);
    } finally {
      await node.kill('SIGKILL');
      await rm(scratch, { recursive: true, force: true });
    }
  });

  it('is bytes between nodes in which every frame and message is known', async () => {
    const kinds = new Map<string, number>();
    const files = (await readdir(join(root, level, 'wire'))).filter((name) =>
      name.endsWith('there.gz'),
    );
    for (const file of files) {
      const there = await unpacked(join(root, level, 'wire', file));
      const back = await unpacked(join(root, level, 'wire', file.replace('there', 'back')));
      for (const kind of readConversation(there, back)) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }
    expect([...kinds.keys()].sort()).toEqual(expect.arrayContaining(known));
  });

  it('is calls of clients in which every message is read, and written again byte for byte', async () => {
    const text = await unpacked(join(root, level, 'grpc.json.gz'));
    const calls = (JSON.parse(text.toString()) as KeptCall[]).map(readCall);
    const methods = new Set(calls.map(({ path }) => path));
    expect(methods.size).toBe(methodCounts[level]);
    for (const { path, responses } of calls) if (responses > 0) methods.delete(path);
    // Node 4 is no controller, so it is not taken in as a voter.
    expect([...methods]).toEqual(['/highwater.v1.AdminService/ChangeVoter']);
    const codes = new Set(calls.map(({ code }) => code));
    expect(codes).toContain('INVALID_TOPIC');
    expect(codes).toContain('UNKNOWN_TOPIC');
  });
});

/** What a cluster that forms, writes, elects and hands over cannot do without. */
const known = [
  'control call',
  'control reply',
  'metadata',
  'raft append-accepted',
  'raft append-request',
  'raft pre-vote-request',
  'raft timeout-now',
  'raft vote-request',
  'replication from follower',
  'replication from leader',
];

/** How many methods the public surface had at each level. */
const methodCounts: Readonly<Record<string, number>> = { 'level-1': 31 };

async function expectKept(client: Client, expected: NodeExpectation): Promise<void> {
  const cluster = await client.admin.describeCluster();
  expect(cluster).toMatchObject({
    clusterId: expected.clusterId,
    voters: [{ node: 1, storageId: expected.storageId }],
  });
  expect(cluster.featureLevel).toBeGreaterThanOrEqual(expected.featureLevel);
  const found = await readReplica(client, { topic, partition: 0 });
  expect(
    found.map(({ offset, value }) => ({ offset: Number(offset), value: value.toString() })),
  ).toEqual(expected.records);
  for (let partition = 0; partition < manyPartitions; partition++) {
    const [record] = await readReplica(client, { topic: many, partition });
    expect(record?.value.toString()).toBe(`many ${partition}`);
  }
  const described = await client.admin.describeTopic(topic);
  for (const [name, value] of Object.entries(expected.topics[topic] ?? {}))
    expect(described.settings).toContainEqual(expect.objectContaining({ name, value }));
  expect(described.partitions).toHaveLength(2);
  await expect(client.admin.describeTopic('deleted')).rejects.toMatchObject({
    code: 'UNKNOWN_TOPIC',
  });
  expect(await committedIn(client)).toBe(expected.committed);
  const receipt = await client.producer().send({ topic, partition: 0, value: 'next' });
  expect(Number(receipt.offset)).toBe(expected.end);
}

/** Where the group goes on. */
async function committedIn(client: Client): Promise<number> {
  const consumer = client.consumer({ group: 'golden-group', topics: [topic] });
  try {
    for await (const { partition, offset } of consumer) if (partition === 0) return Number(offset);
  } finally {
    await consumer.close();
  }
  return -1;
}

async function unpacked(path: string): Promise<Buffer> {
  return gunzipSync(await readFile(path));
}
