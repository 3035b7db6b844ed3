/** What was acknowledged is there: below what anybody read, at the end of it, and on every replica. */
import type { Anomaly, CheckInput } from '../anomaly.ts';
import type { Send } from '../operation.ts';

/**
 * An acknowledged value that was never read though a later one was. Where a value stands several times its
 * last place counts as its own and its first as proof for others: a duplicate is no loss.
 */
export function lostWrite({ partition, order }: CheckInput): Anomaly[] {
  let bound = -1;
  for (const value of order.read) bound = Math.max(bound, order.indexesOf(value)[0] ?? -1);
  return acknowledged(order.sends)
    .filter(({ value }) => !order.read.has(value))
    .filter(({ value }) => (order.indexesOf(value).at(-1) ?? Infinity) <= bound)
    .map(({ value, offset }) => ({
      name: 'lost-write',
      partition,
      evidence: `${value} was acknowledged at ${offset} and never read, though later ones were`,
    }));
}

/** An acknowledged value above everything that was ever read: a lost end, or a reader that stuck. */
export function unseen({ partition, order }: CheckInput): Anomaly[] {
  let bound = -1;
  for (const value of order.read) bound = Math.max(bound, order.indexesOf(value)[0] ?? -1);
  return acknowledged(order.sends)
    .filter(({ value }) => !order.read.has(value))
    .filter(({ value }) => (order.indexesOf(value).at(-1) ?? Infinity) > bound)
    .map(({ value, offset }) => ({
      name: 'unseen',
      partition,
      evidence: `${value} was acknowledged at ${offset}, above the last value read`,
    }));
}

/** An acknowledged value that some replica holds and another does not, after everything healed. */
export function lostOnNode({ partition, order }: CheckInput): Anomaly[] {
  const finals = new Map<number, Set<string>>();
  for (const { finalOf, records } of order.polls) {
    if (finalOf === undefined) continue;
    const held = finals.get(finalOf) ?? new Set();
    finals.set(finalOf, held);
    for (const { value } of records) held.add(value);
  }
  const anomalies: Anomaly[] = [];
  for (const [node, held] of finals) {
    const missing = acknowledged(order.sends).filter(({ value }) => !held.has(value));
    const [first] = missing.filter(({ value }) =>
      [...finals.values()].some((one) => one.has(value)),
    );
    if (first !== undefined)
      anomalies.push({
        name: 'lost-on-node',
        partition,
        evidence: `node ${node} lacks ${first.value}, which another one holds`,
      });
  }
  return anomalies;
}

function acknowledged(sends: ReadonlyMap<string, Send>): Send[] {
  return [...sends.values()].filter(({ outcome }) => outcome === 'ok');
}
