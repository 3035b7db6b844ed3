/** What stands where: each offset holds one value, each value stands once, and somebody wrote it. */
import type { Anomaly, CheckInput } from '../anomaly.ts';

/** Two clients were told different things of one offset. */
export function inconsistentOffsets({ partition, order }: CheckInput): Anomaly[] {
  return [...order.valuesAt]
    .filter(([, values]) => values.size > 1)
    .map(([offset, values]) => ({
      name: 'inconsistent-offsets',
      partition,
      evidence: `offset ${offset} holds ${[...values].join(' and ')}`,
    }));
}

/** One value stands at several offsets, though producers are idempotent. */
export function duplicate({ partition, order }: CheckInput): Anomaly[] {
  return [...order.offsetsOf]
    .filter(([, offsets]) => offsets.size > 1)
    .map(([value, offsets]) => ({
      name: 'duplicate',
      partition,
      evidence: `${value} stands at ${[...offsets].join(' and ')}`,
    }));
}

/** A value was read whose producer had been told that it was not written. */
export function abortedRead({ partition, order }: CheckInput): Anomaly[] {
  return [...order.read]
    .filter((value) => order.sends.get(value)?.outcome === 'fail')
    .map((value) => ({
      name: 'aborted-read',
      partition,
      evidence: `${value} was refused and was read`,
    }));
}

/** A value was read that nobody sent. */
export function phantomRead({ partition, order }: CheckInput): Anomaly[] {
  return [...order.read]
    .filter((value) => !order.sends.has(value))
    .map((value) => ({ name: 'phantom-read', partition, evidence: `nobody sent ${value}` }));
}
