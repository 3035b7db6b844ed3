/** One log of one stopped node: its segments in order, with the rules that hold across batches. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AuditBatch, decodeBatches } from './decode-batches.ts';

export interface ReplicaContents {
  readonly batches: readonly AuditBatch[];
  /** Of all bytes of all segments. */
  readonly digest: string;
  readonly startOffset: number;
  readonly endOffset: number;
}

/** Throws a sentence where offsets have gaps, epochs fall, or a producer's sequences jump. */
export function readReplica(logDirectory: string): ReplicaContents {
  const names = readdirSync(logDirectory)
    .filter((name) => /^\d{20}\.log$/.test(name))
    .sort();
  const hash = createHash('sha256');
  const batches: AuditBatch[] = [];
  for (const name of names) {
    const bytes = readFileSync(join(logDirectory, name));
    hash.update(bytes);
    const own = decodeBatches(bytes, join(logDirectory, name));
    const [first] = own;
    if (first !== undefined && first.baseOffset !== Number(name.slice(0, 20)))
      throw new Error(`${name} begins with offset ${first.baseOffset}`);
    batches.push(...own);
  }
  const startOffset = batches[0]?.baseOffset ?? 0;
  checkOrder(batches, logDirectory);
  const endOffset = (batches.at(-1)?.lastOffset ?? startOffset - 1) + 1;
  return { batches, digest: hash.digest('hex'), startOffset, endOffset };
}

function checkOrder(batches: readonly AuditBatch[], name: string): void {
  let before: AuditBatch | undefined;
  const sequences = new Map<string, number>();
  for (const batch of batches) {
    const place = `${name}, offset ${batch.baseOffset}`;
    if (before !== undefined && batch.baseOffset !== before.lastOffset + 1)
      throw new Error(`${place}: follows offset ${before.lastOffset}`);
    if (before !== undefined && batch.leaderEpoch < before.leaderEpoch)
      throw new Error(`${place}: epoch ${batch.leaderEpoch} after ${before.leaderEpoch}`);
    before = batch;
    if (batch.firstSequence < 0) continue;
    const expected = sequences.get(batch.producer) ?? batch.firstSequence;
    if (batch.firstSequence !== expected)
      throw new Error(`${place}: sequence ${batch.firstSequence}, expected ${expected}`);
    sequences.set(batch.producer, expected + batch.lastOffset - batch.baseOffset + 1);
  }
}
