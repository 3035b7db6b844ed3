/** The decisions of compaction by themselves, against what they say of themselves. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type CompactionFacts,
  groupSegments,
  planCompaction,
} from '../../../../../broker/log/compaction/core/compaction-plan.ts';
import { OffsetMap } from '../../../../../broker/log/compaction/core/offset-map.ts';
import { staysInLog } from '../../../../../broker/log/compaction/core/record-verdict.ts';

const hashOf = (key: string): Buffer => createHash('sha256').update(key).digest().subarray(0, 16);

describe('the map of newest offsets', () => {
  test('agrees with a plain map, whatever is put, until it is full', () => {
    const puts = fc.array(fc.tuple(fc.integer({ min: 0, max: 3000 }), fc.nat(1e9)), {
      maxLength: 4000,
    });
    fc.assert(
      fc.property(puts, (list) => {
        const map = new OffsetMap(2048 * 24);
        const model = new Map<number, number>();
        for (const [key, offset] of list) {
          const isTaken = map.put(hashOf(`k${key}`), offset);
          if (isTaken) model.set(key, Math.max(model.get(key) ?? -1, offset));
          else expect(model.size).toBe(1536);
        }
        expect(map.size).toBe(model.size);
        for (const [key, offset] of model) expect(map.get(hashOf(`k${key}`))).toBe(offset);
        expect(map.get(hashOf('never put'))).toBeUndefined();
      }),
      { numRuns: 20 },
    );
  });

  test('keys whose hashes begin alike are two keys', () => {
    const map = new OffsetMap(64 * 24);
    const one = Buffer.alloc(16, 7);
    const other = Buffer.from(one);
    other[15] = 8;
    map.put(one, 1);
    map.put(other, 2);
    expect([map.get(one), map.get(other)]).toEqual([1, 2]);
  });
});

describe('when a log is compacted', () => {
  const settings = { dirtyRatioMin: 0.5, lagMsMin: 100, deleteRetentionMs: 0, segmentBytes: 100 };
  const segment = (at: number, bytes = 100) => ({
    baseOffset: at * 10,
    endOffset: at * 10 + 10,
    bytes,
    largestTimestamp: at,
  });
  const facts: CompactionFacts = {
    segments: [segment(0), segment(1), segment(2), segment(3)],
    highWatermark: 40,
    flushedTo: 40,
    cleanedTo: 0,
    nextHorizonMs: -1,
    mayDropMarks: true,
    nowMs: 1000,
  };

  test('all that is sealed, flushed and below the watermark', () => {
    expect(planCompaction(settings, facts)).toEqual({ segments: 4, end: 40 });
    expect(planCompaction(settings, { ...facts, highWatermark: 39 })?.end).toBe(30);
    expect(planCompaction(settings, { ...facts, flushedTo: 20 })?.end).toBe(20);
    expect(planCompaction(settings, { ...facts, segments: [] })).toBeUndefined();
  });

  test('nothing that is too young, nor what lies behind it', () => {
    expect(planCompaction(settings, { ...facts, nowMs: 101 })?.end).toBe(20);
  });

  test('not before enough of it is dirty, unless marks are due', () => {
    const mostlyClean = { ...facts, cleanedTo: 30 };
    expect(planCompaction(settings, mostlyClean)).toBeUndefined();
    expect(planCompaction(settings, { ...mostlyClean, nextHorizonMs: 1000 })?.end).toBe(40);
    expect(planCompaction(settings, { ...mostlyClean, nextHorizonMs: 1001 })).toBeUndefined();
    const withheld = { ...mostlyClean, nextHorizonMs: 1000, mayDropMarks: false };
    expect(planCompaction(settings, withheld)).toBeUndefined();
  });

  test('neighbours are put together up to the size of a segment, none twice and none left out', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 150 }), { maxLength: 30 }), (sizes) => {
        const groups = groupSegments(
          sizes.map((bytes) => ({ bytes })),
          100,
        );
        expect(groups.flatMap(([from, to]) => sizes.slice(from, to))).toEqual(sizes);
        for (const [from, to] of groups) {
          const bytes = sizes.slice(from, to).reduce((sum, one) => sum + one, 0);
          expect(to - from === 1 || bytes <= 100).toBe(true);
        }
      }),
    );
  });
});

describe('which records stay', () => {
  const pass = { mapEnd: 100, horizonMs: undefined, nowMs: 50, mayDropMarks: true };

  test.each([
    ['the newest of its key', { offset: 5, newest: 5, isMark: false }, {}, true],
    ['an older one', { offset: 5, newest: 6, isMark: false }, {}, false],
    ['one that the pass does not know', { offset: 5, newest: undefined, isMark: false }, {}, true],
    ['one above the map', { offset: 100, newest: 120, isMark: false }, {}, true],
    ['a mark without a horizon', { offset: 5, newest: 5, isMark: true }, {}, true],
    ['a mark before its horizon', { offset: 5, newest: 5, isMark: true }, { horizonMs: 51 }, true],
    ['a mark at its horizon', { offset: 5, newest: 5, isMark: true }, { horizonMs: 50 }, false],
    [
      'a mark that some replica may not have',
      { offset: 5, newest: 5, isMark: true },
      { horizonMs: 50, mayDropMarks: false },
      true,
    ],
  ])('%s', (_what, record, change, stays) => {
    expect(staysInLog(record, { ...pass, ...change })).toBe(stays);
  });
});
