/**
 * Goal: compaction runs on every replica, bytes that go bad in a sealed segment are found without a
 * reader, and the replica is filled again from its leader, whoever it was. Method: a cluster in this
 * process whose scrub is fast; a byte of a segment file is flipped under a running node.
 */
import { mkdtemp, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Cluster, startCluster } from '../../broker/main/cluster.ts';
import { type Client, connect } from '../../client/index.ts';
import { leaderWithIsr, until } from '../support/cluster-view.ts';

const settings = {
  'session-ms': '10000',
  'cleaner-check-ms': '200',
  'scrub-bytes-per-second': String(64 * 1024 * 1024),
};
const place = { topic: 'orders', partition: 0 };

interface Scene {
  readonly client: Client;
  readonly cluster: Cluster;
  readonly directory: string;
}

async function inCluster(
  config: Readonly<Record<string, string>>,
  run: (scene: Scene) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'highwater-'));
  try {
    await using cluster = await startCluster({ nodes: 3, settings, data: directory });
    await using client = await connect({ brokers: [...cluster.brokers] });
    const all = { 'segment.bytes': '8192', 'replica.lag.time.max.ms': '500', ...config };
    await client.admin.createTopic({
      name: place.topic,
      partitions: 1,
      replicationFactor: 3,
      config: all,
    });
    await run({ client, cluster, directory });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Over a few keys, so that most are replaced. */
async function fill(client: Client, count: number): Promise<void> {
  await using producer = client.producer({ acks: 'all' });
  for (let at = 0; at < count; at += 5) {
    const sends = Array.from({ length: 5 }, (_, index) => {
      const value = `value ${at + index}`.padEnd(200);
      return producer.send({ ...place, key: `k${(at + index) % 7}`, value });
    });
    await Promise.all(sends);
  }
}

async function folderOf(directory: string, node: number): Promise<string> {
  const logs = join(directory, `node-${node}`, 'logs');
  for (const name of await readdir(logs)) {
    const files = await readdir(join(logs, name));
    if (files.some((file) => file.endsWith('.log'))) return join(logs, name);
  }
  throw new Error(`node ${node} has no log`);
}

async function segmentsOf(directory: string, node: number): Promise<string[]> {
  const folder = await folderOf(directory, node);
  const names = (await readdir(folder)).filter((name) => name.endsWith('.log')).sort();
  return names.map((name) => join(folder, name));
}

async function bytesOf(directory: string, node: number): Promise<number> {
  const sizes = await Promise.all((await segmentsOf(directory, node)).map((path) => stat(path)));
  return sizes.reduce((sum, { size }) => sum + size, 0);
}

/** The segment that was damaged is as good as its copy elsewhere. */
async function isAsElsewhere(directory: string, victim: number): Promise<boolean> {
  const [own = ''] = await segmentsOf(directory, victim);
  const [other = ''] = await segmentsOf(directory, (victim % 3) + 1);
  return (await readFile(own)).equals(await readFile(other));
}

async function flip(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, 1000);
    await file.write(Buffer.from([(byte[0] ?? 0) ^ 0x55]), 0, 1, 1000);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function valuesOf(client: Client): Promise<string[]> {
  const values: string[] = [];
  for await (const record of client.reader({ ...place, from: 'earliest', to: 'latest' })) {
    values.push(
      Buffer.from(record.value ?? [])
        .toString()
        .trim(),
    );
  }
  return values;
}

test('a compacted topic shrinks on the leader and on its followers, and keeps the newest of each key', () =>
  inCluster(
    { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0' },
    async ({ client, directory }) => {
      await fill(client, 400);
      for (const node of [1, 2, 3]) {
        await until(
          () => bytesOf(directory, node),
          (bytes) => bytes < 30_000,
          `the log of node ${node} is compacted`,
        );
      }
      const values = await valuesOf(client);
      expect(values.slice(-7)).toEqual(
        Array.from({ length: 7 }, (_, index) => `value ${393 + index}`),
      );
      await leaderWithIsr(client, place, 3);
    },
  ));

test.each([
  ['a follower', 'while records are written', 20],
  ['a follower', 'though nothing is written', 0],
  ['the leader', 'while records are written', 20],
] as const)(
  'bad bytes in a segment of %s are found, kept aside and filled again %s',
  (who, _when, more) =>
    inCluster({}, async ({ client, directory }) => {
      await fill(client, 200);
      const leader = await leaderWithIsr(client, place, 3);
      const victim = who === 'the leader' ? leader : (leader % 3) + 1;
      const [first] = await segmentsOf(directory, victim);
      await flip(first ?? '');
      const kept = join(directory, `node-${victim}`, 'kept');
      await until(
        () => readdir(kept).catch(() => []),
        (names) => names.length > 0,
        'the bad bytes are kept aside',
      );
      await fill(client, more);
      await until(
        async () => {
          const whole = await bytesOf(directory, (victim % 3) + 1);
          const repaired = await isAsElsewhere(directory, victim);
          return whole === (await bytesOf(directory, victim).catch(() => 0)) && repaired;
        },
        (isMended) => isMended,
        'its log has all bytes again',
      );
      await leaderWithIsr(client, place, 3);
      expect(await valuesOf(client)).toHaveLength(200 + more);
    }),
);
