import fc from 'fast-check';
import { Partitioners } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import {
  murmur2,
  partitionOfKey,
  StickyPartition,
} from '../../../../client/producer/core/partitioner.ts';

describe('a key', () => {
  it('hashes as in the vectors of the Java client', () => {
    const vectors: readonly (readonly [string, number])[] = [
      ['21', -973932308],
      ['foobar', -790332482],
      ['a-little-bit-long-string', -985981536],
      ['a-little-bit-longer-string', -1486304829],
      ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ];
    for (const [text, hash] of vectors) expect(murmur2(Buffer.from(text))).toBe(hash);
    expect(murmur2(Buffer.from([97, 98, 99]))).toBe(479470107);
  });

  it('goes to the partition that kafkajs would choose', () => {
    const kafkajs = Partitioners.DefaultPartitioner();
    const bytes = fc.uint8Array({ maxLength: 70 });
    fc.assert(
      fc.property(bytes, fc.integer({ min: 1, max: 1000 }), (key, count) => {
        const partitionMetadata = Array.from({ length: count }, (_, partitionId) => ({
          partitionErrorCode: 0,
          partitionId,
          leader: 1,
          replicas: [1],
          isr: [1],
        }));
        const message = { key: Buffer.from(key), value: null };
        const expected = kafkajs({ topic: 't', partitionMetadata, message });
        return partitionOfKey(key, count) === expected;
      }),
    );
  });

  it('means the same as text and as its UTF-8 bytes, of any length', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 600 }), (key) => {
        expect(partitionOfKey(key, 97)).toBe(partitionOfKey(Buffer.from(key), 97));
      }),
    );
  });
});

describe('records without a key', () => {
  const evenly = (count: number, drawn: number) => ({ count, drawn: () => drawn, owed: () => 0 });

  it('stay with one partition until its batch is closed, and then leave it', () => {
    const sticky = new StickyPartition();
    const first = sticky.pick(4, () => 5);
    expect(sticky.pick(4, () => 5)).toBe(first);
    sticky.moveOn((first + 1) % 4, evenly(4, 5));
    expect(sticky.pick(4, () => 5)).toBe(first);
    sticky.moveOn(first, evenly(4, 5));
    expect(sticky.pick(4, () => 5)).not.toBe(first);
  });

  it('never go to a partition that is not there', () => {
    const sticky = new StickyPartition();
    expect(sticky.pick(8, () => 7)).toBe(7);
    expect(sticky.pick(2, () => 7)).toBeLessThan(2);
    sticky.moveOn(1, evenly(1, 3));
    expect(sticky.pick(1, () => 3)).toBe(0);
  });

  it('reach every partition where none is owed anything', () => {
    const sticky = new StickyPartition();
    const met = new Set<number>();
    let at = sticky.pick(7, () => 0);
    for (const drawn of fc.sample(fc.nat(), { seed: 1, numRuns: 200 })) {
      sticky.moveOn(at, evenly(7, drawn));
      at = sticky.pick(7, () => 0);
      met.add(at);
    }
    expect(met.size).toBe(7);
  });

  it('leave out a leader that has stood still, wherever the draw points', () => {
    const leaders = 3;
    fc.assert(
      fc.property(
        fc.integer({ min: leaders, max: 60 }),
        fc.nat(),
        fc.nat({ max: leaders - 1 }),
        (count, drawn, still) => {
          const sticky = new StickyPartition();
          const from = sticky.pick(count, () => drawn);
          const owed = (partition: number) => (partition % leaders === still ? 1_000 : 10);
          sticky.moveOn(from, { count, drawn: () => drawn, owed });
          const next = sticky.pick(count, () => drawn);
          return next !== from && (next % leaders !== still || count === leaders);
        },
      ),
    );
  });
});
