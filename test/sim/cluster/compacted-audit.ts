/**
 * What a compacted log has to keep, at the end: of each key the last acknowledged record, or one that was
 * sent later, and every record where its receipt says. All replicas end with the same record of each
 * key; which older ones are left is each replica's own business.
 */
import { Violation } from '../world.ts';
import type { Ledger, SentRecord } from './ledger.ts';

export interface KeyedRecord {
  readonly offset: number;
  readonly key: string | undefined;
  readonly value: string;
}

export interface CompactedLog {
  readonly node: number;
  readonly found: readonly KeyedRecord[];
}

/** Throws the first difference that it finds. */
export function judgeCompacted(place: string, logs: readonly CompactedLog[], ledger: Ledger): void {
  const due = lastPromised(place, ledger);
  const ends = logs.map((log) => lastOfKeys(place, log, ledger));
  for (const [index, last] of ends.entries()) {
    const where = `node ${logs[index]?.node} ${place}`;
    for (const [key, promised] of due) {
      const number = last.get(key)?.number ?? 0;
      if (number < promised.number)
        throw new Violation(
          'last-of-key',
          `${where}: ${key} ends with number ${number}, ${promised.number} was acknowledged`,
        );
    }
    for (const [key, record] of last)
      if (ends[0]?.get(key) !== record)
        throw new Violation('replicas-agree', `${where}: ${key} ends with ${record.number}`);
  }
}

/** By key, in the order in which they were sent: one writer sends all of them. */
function lastPromised(place: string, ledger: Ledger): Map<string, SentRecord> {
  const last = new Map<string, SentRecord>();
  for (const record of ledger.promised) {
    const { key, number } = record;
    if (record.place !== place || key === undefined) continue;
    if (number > (last.get(key)?.number ?? 0)) last.set(key, record);
  }
  return last;
}

function lastOfKeys(
  place: string,
  { node, found }: CompactedLog,
  ledger: Ledger,
): Map<string, SentRecord> {
  const last = new Map<string, SentRecord>();
  const promised = new Set(ledger.promised);
  for (const { offset, key, value } of found) {
    const where = `node ${node} ${place}: at ${offset}`;
    const record = ledger.records.get(value);
    if (record === undefined || record.place !== place || record.key !== key || key === undefined)
      throw new Violation('no-strangers', `${where} is what nobody sent there`);
    if (record.fate === 'not-written') throw new Violation('not-written', `${where} was refused`);
    if (promised.has(record) && record.offset !== offset)
      throw new Violation('receipt', `${where} is what was acknowledged at ${record.offset}`);
    const before = last.get(key)?.number ?? 0;
    if (before >= record.number)
      throw new Violation('order', `${where} is number ${record.number} behind ${before}`);
    last.set(key, record);
  }
  return last;
}
