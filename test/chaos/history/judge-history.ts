/** Runs every checker over every partition, and says whether the history was worth judging. */
import type { Anomaly, Checker } from './anomaly.ts';
import { abortedRead, duplicate, inconsistentOffsets, phantomRead } from './checkers/contents.ts';
import { lostOnNode, lostWrite, unseen } from './checkers/losses.ts';
import { nonmonotonicPoll, pollSkip } from './checkers/reading-order.ts';
import { doubleLeader, nonmonotonicSend, realtimeOrder } from './checkers/writing-order.ts';
import type { History, Operation } from './operation.ts';
import { versionOrders } from './version-order.ts';

const checkers: readonly Checker[] = [
  inconsistentOffsets,
  duplicate,
  abortedRead,
  phantomRead,
  lostWrite,
  unseen,
  lostOnNode,
  pollSkip,
  nonmonotonicPoll,
  nonmonotonicSend,
  realtimeOrder,
  doubleLeader,
];

export interface Judgement {
  readonly anomalies: readonly Anomaly[];
  readonly sends: { readonly ok: number; readonly fail: number; readonly info: number };
  readonly recordsRead: number;
}

export function judgeHistory(history: History): Judgement {
  const sends = { ok: 0, fail: 0, info: 0 };
  let recordsRead = 0;
  const byPartition = new Map<string, Operation[]>();
  for (const operation of history) {
    const own = byPartition.get(operation.partition) ?? [];
    byPartition.set(operation.partition, own);
    own.push(operation);
    if (operation.kind === 'send') sends[operation.outcome]++;
    if (operation.kind === 'poll') recordsRead += operation.records.length;
  }
  const anomalies: Anomaly[] = [];
  for (const [partition, order] of versionOrders(history)) {
    const input = { partition, order, history: byPartition.get(partition) ?? [] };
    for (const check of checkers) anomalies.push(...check(input));
  }
  return { anomalies, sends, recordsRead };
}

/** Why a history proves nothing: hardly anything succeeded, or nothing was read. */
export function whyVacuous({ sends, recordsRead }: Judgement): string | undefined {
  const total = sends.ok + sends.fail + sends.info;
  if (total === 0 || sends.ok / total < 0.2)
    return `only ${sends.ok} of ${total} sends were acknowledged`;
  if (recordsRead < sends.ok) return `${recordsRead} records read, ${sends.ok} acknowledged`;
  return undefined;
}
