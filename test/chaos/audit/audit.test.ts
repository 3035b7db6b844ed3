import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { leaderEpoch, offset } from '../../../proto/model/offset.ts';
import { BatchBuilder } from '../../../proto/wire/batch-builder.ts';
import { stampBatch } from '../../../proto/wire/batch-stamp.ts';
import type { Send } from '../history/operation.ts';
import { auditReplicas } from './audit-replicas.ts';
import { readReplica } from './read-replica.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'audit-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

/** A batch of the product's own encoder: the audit must read what the product writes. */
function batchOf(baseOffset: number, values: readonly string[], epoch = 1): Buffer {
  const builder = new BatchBuilder({ bytesMax: 65_536 });
  for (const value of values) builder.append(1, null, value);
  const bytes = builder.seal({ producerId: 7, producerEpoch: 0, baseSequence: baseOffset });
  stampBatch(bytes, 0, { baseOffset: offset(baseOffset), leaderEpoch: leaderEpoch(epoch) });
  return bytes;
}

function store(...batches: readonly Buffer[]): void {
  writeFileSync(join(directory, `${'0'.repeat(20)}.log`), Buffer.concat(batches));
}

function acknowledged(value: string, offset: number): Send {
  const times = { invokedMs: 0, completedMs: 1 };
  return { kind: 'send', process: 'p', partition: 't-0', value, ...times, outcome: 'ok', offset };
}

function auditOf(...sends: readonly Send[]): string[] {
  const replicas = new Map([[1, readReplica(directory)]]);
  return auditReplicas({ partition: 't-0', replicas, acknowledged: sends });
}

test('a log that holds what was acknowledged is clean', () => {
  store(batchOf(0, ['a', 'b']), batchOf(2, ['c']));
  expect(auditOf(acknowledged('a', 0), acknowledged('c', 2))).toEqual([]);
});

test('a record that was acknowledged and is not there is named with its offset', () => {
  store(batchOf(0, ['a', 'b']));
  expect(auditOf(acknowledged('c', 2))).toEqual([
    't-0, node 1: c was acknowledged at 2, which holds nothing',
  ]);
});

test('a record that stands twice is found', () => {
  store(batchOf(0, ['a', 'a']));
  expect(auditOf()).toEqual(['t-0, node 1: a stands at 0 and 1']);
});

test('replicas with different bytes are found', () => {
  store(batchOf(0, ['a']));
  const one = readReplica(directory);
  store(batchOf(0, ['b']));
  const replicas = new Map([
    [1, one],
    [2, readReplica(directory)],
  ]);
  const faults = auditReplicas({ partition: 't-0', replicas, acknowledged: [] });
  expect(faults).toEqual(['t-0: node 2 (end 1) and node 1 (end 1) differ']);
});

test.each([
  ['a gap between offsets', () => store(batchOf(0, ['a']), batchOf(2, ['b'])), /follows offset 0/],
  ['a falling epoch', () => store(batchOf(0, ['a'], 3), batchOf(1, ['b'], 2)), /epoch 2 after 3/],
  ['a torn end', () => store(batchOf(0, ['a']).subarray(0, -1)), /torn batch/],
  ['a changed byte', () => store(flipped(batchOf(0, ['a']))), /checksum does not hold/],
])('%s is found', (_what, write, message) => {
  write();
  expect(() => readReplica(directory)).toThrow(message);
});

function flipped(batch: Buffer): Buffer {
  const last = batch.length - 1;
  batch.writeUInt8(batch.readUInt8(last) ^ 1, last);
  return batch;
}

test('the audit shares no code with the product', () => {
  const files = readdirSync(import.meta.dirname).filter((name) => !name.endsWith('.test.ts'));
  for (const name of files)
    expect(readFileSync(join(import.meta.dirname, name), 'utf8')).not.toMatch(
      /from '.*\/(proto|broker|client|controller)\//,
    );
});
