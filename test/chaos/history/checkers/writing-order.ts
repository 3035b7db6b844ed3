/** The log keeps the order in which things were written, and one epoch has one leader. */
import type { Anomaly, CheckInput } from '../anomaly.ts';
import type { History, Send } from '../operation.ts';

/** A process wrote one value after the other was acknowledged, and they stand the other way round. */
export function nonmonotonicSend({ partition, history }: CheckInput): Anomaly[] {
  const last = new Map<string, Send>();
  const anomalies: Anomaly[] = [];
  for (const send of placed(history)) {
    const before = last.get(send.process);
    if (
      before !== undefined &&
      before.invokedMs <= send.invokedMs &&
      offsetOf(send) <= offsetOf(before)
    )
      anomalies.push({
        name: 'nonmonotonic-send',
        partition,
        evidence: `${send.process} sent ${before.value} first, which stands behind ${send.value}`,
      });
    last.set(send.process, send);
  }
  return anomalies;
}

/** A value got an offset below one that had been acknowledged before it was sent. */
export function realtimeOrder({ partition, history }: CheckInput): Anomaly[] {
  const sends = placed(history);
  const byInvocation = [...sends].sort((a, b) => a.invokedMs - b.invokedMs);
  const byCompletion = [...sends].sort((a, b) => a.completedMs - b.completedMs);
  const anomalies: Anomaly[] = [];
  let highest: Send | undefined;
  let next = 0;
  for (const send of byInvocation) {
    for (; (byCompletion[next]?.completedMs ?? Infinity) < send.invokedMs; next++) {
      const done = byCompletion[next];
      if (done !== undefined && (highest === undefined || offsetOf(done) > offsetOf(highest)))
        highest = done;
    }
    if (highest !== undefined && offsetOf(send) <= offsetOf(highest))
      anomalies.push({
        name: 'realtime-order',
        partition,
        evidence: `${send.value} stands before ${highest.value}, which was there when it was sent`,
      });
  }
  return anomalies;
}

/** Two brokers acknowledged under one leader epoch. */
export function doubleLeader({ partition, history }: CheckInput): Anomaly[] {
  const leaders = new Map<number, number>();
  const anomalies: Anomaly[] = [];
  for (const { leader, leaderEpoch } of placed(history)) {
    if (leader === undefined || leaderEpoch === undefined) continue;
    const known = leaders.get(leaderEpoch) ?? leader;
    leaders.set(leaderEpoch, known);
    if (known !== leader)
      anomalies.push({
        name: 'double-leader',
        partition,
        evidence: `brokers ${known} and ${leader} both led in epoch ${leaderEpoch}`,
      });
  }
  return anomalies;
}

/** Acknowledged sends with a place in the log, by their invocation within each process. */
function placed(history: History): Send[] {
  return history
    .filter((operation) => operation.kind === 'send')
    .filter(({ outcome, offset }) => outcome === 'ok' && offset !== undefined)
    .sort((a, b) => a.invokedMs - b.invokedMs);
}

function offsetOf(send: Send): number {
  return send.offset ?? -1;
}
