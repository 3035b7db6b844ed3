import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cluster, startCluster } from '../../../../broker/main/cluster.ts';
import { runVerb } from '../../../../client/cli/run-verb.ts';
import type { Verb } from '../../../../client/cli/verb.ts';
import {
  benchConsumeVerb,
  benchLatencyVerb,
  benchProduceVerb,
} from '../../../../client/cli/verbs/bench-verbs.ts';
import { connect } from '../../../../client/connect.ts';

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 1 });
  await using client = await connect({ brokers: cluster.brokers });
  const config = { 'min.insync.replicas': '1' };
  await client.admin.createTopic({ name: 'load', partitions: 2, replicationFactor: 1, config });
});
afterAll(() => cluster.close());

async function run(verb: Verb, ...words: readonly string[]) {
  const text = { out: '', err: '' };
  const sink = (name: 'out' | 'err') => ({
    write: (chunk: Uint8Array | string) => {
      text[name] += chunk.toString();
      return true;
    },
    once: () => undefined,
  });
  const code = await runVerb(verb, [...words, '--json', '--brokers', cluster.brokers.join(',')], {
    out: sink('out'),
    err: sink('err'),
    signal: new AbortController().signal,
    environment: {},
  });
  return { code, ...text };
}

test('what bench produce wrote is what bench consume reads, counted', async () => {
  const written = await run(benchProduceVerb, 'load', '--records', '2500', '--record-bytes', '100');
  expect(written.code).toBe(0);
  expect(JSON.parse(written.out)).toMatchObject({ records: 2500 });
  const read = await run(benchConsumeVerb, 'load');
  expect(JSON.parse(read.out)).toMatchObject({ records: 2500 });
  const some = await run(benchConsumeVerb, 'load', '--records', '70');
  expect(JSON.parse(some.out)).toMatchObject({ records: 70 });
});

test('bench latency sends as many records as its rate and time ask for', async () => {
  const { code, out } = await run(benchLatencyVerb, 'load', '--rate', '500', '--seconds', '1');
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ records: 500, failed: 0 });
});

test('a topic that does not exist is a failure with its code, not a figure', async () => {
  const { code, out, err } = await run(benchProduceVerb, 'nowhere', '--records', '10');
  expect(code).toBe(1);
  expect(out).toBe('');
  expect(err).toContain('UNKNOWN_TOPIC');
});
