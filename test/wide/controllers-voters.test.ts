/**
 * Goal: voters are replaced one at a time while changes go on, and a quorum that lost its majority for
 * good is brought back by an explicit command, with the records of its topics.
 * Method: nodes lose their directories; the command line is the built one.
 */
import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Client } from '../../client/index.ts';
import { leaderWithIsr, until } from '../support/cluster-view.ts';
import { expectKept } from '../support/expect-kept.ts';
import { MetadataWriter } from '../support/metadata-writer.ts';
import type { ProcessNode } from '../support/process-cluster.ts';
import { SteadyWriter } from '../support/steady-writer.ts';
import { withCluster } from '../support/with-cluster.ts';

test('a controller with an empty disk takes the place of the one that it was', () =>
  withCluster({}, async ({ cluster, client }) => {
    const writer = new MetadataWriter(client, 'writer');
    await writer.acknowledges(20);
    const lost = cluster.node((await activeNode(client)) === 3 ? 2 : 3);
    const storageBefore = await storageOf(client, lost.id);
    await loseDisk(lost);
    lost.start();
    await lost.ready();
    await writer.acknowledges(20);
    // It is another voter by its storage, and the old one has to go first.
    await expect(client.admin.addVoter(lost.id)).rejects.toMatchObject({ code: 'INVALID_VOTERS' });
    const [, removed] = await highwater(
      'cluster',
      'voters',
      'remove',
      String(lost.id),
      ...at(lost),
    );
    expect(removed.match(/127\.0\.0\.1:/g)).toHaveLength(2);
    const [code] = await highwater('cluster', 'voters', 'add', String(lost.id), ...at(lost));
    expect(code).toBe(0);
    expect(await storageOf(client, lost.id)).not.toBe(storageBefore);
    // It counts: the quorum goes on without another one.
    await client.admin.transferController(lost.id);
    await until(
      () => activeNode(client),
      (active) => active === lost.id,
      'the added voter is active',
    );
    const other = cluster.node(lost.id === 3 ? 2 : 3);
    await other.kill('SIGKILL');
    await writer.acknowledges(20);
    // A voter that is active may be removed as well: it hands over once that is committed.
    other.start();
    await other.ready();
    await client.admin.removeVoter(lost.id);
    await writer.acknowledges(20);
    expect(await activeNode(client)).not.toBe(lost.id);
    await writer.stop();
    expect([...writer.history.failures]).toEqual([]);
  }));

test('a quorum that lost its majority goes on from one survivor, and keeps the records', () =>
  withCluster({}, async ({ cluster, client, place }) => {
    const writer = new SteadyWriter(client, { topic: place.topic });
    await writer.acknowledges(200);
    await writer.stop();
    await leaderWithIsr(client, place, 3);
    const [survivor, ...others] = cluster.nodes;
    if (survivor === undefined) throw new Error('there is a first node');
    const [refused] = await highwater('cluster', 'recover', '--data', survivor.data);
    expect(refused).not.toBe(0);
    for (const node of others) await loseDisk(node);
    await survivor.kill('SIGKILL');
    const [, told] = await highwater('cluster', 'recover', '--data', survivor.data);
    expect(told).toContain('What may be lost');
    expect(told).toContain('Nothing was changed');
    const [code] = await highwater('cluster', 'recover', '--data', survivor.data, '--accept-loss');
    expect(code).toBe(0);
    survivor.start();
    await survivor.ready();
    for (const node of others) {
      node.start();
      await node.ready();
      await client.admin.addVoter(node.id);
    }
    await leaderWithIsr(client, place, 3);
    const { voters } = await client.admin.describeCluster();
    expect(voters.map(({ node }) => node).sort((a, b) => a - b)).toEqual([1, 2, 3]);
    await expectKept(client, place, { history: writer.history, replicas: [1, 2, 3] });
    // A new majority carries it: the survivor is not needed any more.
    const later = new SteadyWriter(client, { topic: place.topic });
    await later.acknowledges(50);
    await survivor.kill('SIGKILL');
    await later.acknowledges(50);
    await client.admin.createTopic({ name: 'later', partitions: 1, replicationFactor: 2 });
    await later.stop();
    expect([...later.failures]).toEqual([]);
  }));

async function loseDisk(node: ProcessNode): Promise<void> {
  await node.kill('SIGKILL');
  await rm(node.data, { recursive: true });
}

async function activeNode(client: Client): Promise<number> {
  return (await client.admin.describeCluster({ timeoutMs: 1_000 })).controller ?? 0;
}

async function storageOf(client: Client, node: number): Promise<string | undefined> {
  const { voters } = await client.admin.describeCluster();
  return voters.find((voter) => voter.node === node)?.storageId;
}

function at(node: ProcessNode): string[] {
  return ['--brokers', node.grpc];
}

/** Runs the built command; resolves to its exit code and what it printed. */
function highwater(...words: string[]): Promise<readonly [number | null, string]> {
  const program = fileURLToPath(new URL('../../dist/broker/main/cli.js', import.meta.url));
  const child = spawn(process.execPath, [program, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  return new Promise((resolve) => {
    child.once('close', (code) => resolve([code, printed]));
  });
}
