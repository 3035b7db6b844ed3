/** The pure decisions of the log. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type EpochHistory,
  trimEpochs,
  truncateEpochs,
} from '../../../../broker/log/core/epoch-history.ts';
import { journalRoundsAfterCrowd, planFlush } from '../../../../broker/log/core/flush-plan.ts';
import { ProducerState } from '../../../../broker/log/core/producer-state.ts';
import { retentionStart } from '../../../../broker/log/core/retention-policy.ts';
import { shouldRoll } from '../../../../broker/log/core/roll-policy.ts';
import { SparseIndex } from '../../../../broker/log/core/sparse-index.ts';
import { leaderEpoch, offset } from '../../../../proto/model/offset.ts';

function history(...entries: readonly (readonly [number, number])[]): EpochHistory {
  return entries.map(([epoch, start]) => ({
    epoch: leaderEpoch(epoch),
    startOffset: offset(start),
  }));
}

describe('the epoch history', () => {
  test('drops an epoch that began at the end and wrote nothing (KAFKA-10706)', () => {
    const cut = truncateEpochs(history([1, 0], [3, 8]), offset(8));
    expect(cut).toEqual(history([1, 0]));
  });

  test('trimming the beginning keeps the epoch that goes on there', () => {
    expect(trimEpochs(history([1, 0], [2, 5], [4, 9]), offset(7))).toEqual(history([2, 7], [4, 9]));
    expect(trimEpochs(history([1, 3], [2, 5]), offset(2))).toEqual(history([1, 3], [2, 5]));
    expect(trimEpochs(history([1, 0], [2, 5]), offset(5))).toEqual(history([2, 5]));
  });
});

describe('producer state', () => {
  const settings = { expiryMs: 1000, producersMax: 3 };
  const sent = (baseSequence: number, baseOffset: number, producerId = 1, maxTimestamp = 10) => ({
    producerId,
    producerEpoch: 0,
    baseSequence,
    lastOffsetDelta: 4,
    baseOffset,
    maxTimestamp,
  });

  test('answers each of the last five batches with its first offset, and refuses gaps', () => {
    const state = new ProducerState(settings);
    for (let at = 0; at < 7; at++) state.apply(sent(at * 5, at * 5));
    for (let at = 2; at < 7; at++) {
      expect(state.check(sent(at * 5, 0))).toMatchObject({ batch: { baseOffset: at * 5 } });
    }
    expect(state.check(sent(0, 0))).toMatchObject({ code: 'DUPLICATE_SEQUENCE' });
    expect(state.check(sent(35, 0))).toEqual({ kind: 'append' });
    expect(state.check(sent(40, 0))).toMatchObject({ code: 'OUT_OF_ORDER_SEQUENCE' });
  });

  test('goes on at 0 after the last sequence', () => {
    const state = new ProducerState(settings);
    state.apply(sent(2 ** 31 - 5, 0));
    expect(state.check(sent(0, 0))).toEqual({ kind: 'append' });
    state.apply(sent(0, 5));
    expect(state.check(sent(2 ** 31 - 5, 0))).toMatchObject({ kind: 'duplicate' });
  });

  test('fences older epochs, and asks an unknown producer to begin at 0', () => {
    const state = new ProducerState(settings);
    state.apply({ ...sent(0, 0), producerEpoch: 2 });
    expect(state.check(sent(5, 0))).toMatchObject({ code: 'PRODUCER_FENCED' });
    expect(state.check({ ...sent(5, 0), producerEpoch: 3 })).toMatchObject({ kind: 'refuse' });
    expect(state.check({ ...sent(0, 0), producerEpoch: 3 })).toEqual({ kind: 'append' });
    expect(state.check(sent(5, 0, 9))).toMatchObject({ code: 'UNKNOWN_PRODUCER' });
  });

  test('expires by the time in the log, and survives a snapshot unchanged', () => {
    const state = new ProducerState(settings);
    state.apply(sent(0, 0, 1, 10));
    state.apply(sent(0, 5, 2, 2000));
    expect(state.check(sent(5, 0, 1))).toMatchObject({ code: 'UNKNOWN_PRODUCER' });
    const again = new ProducerState(settings, state.snapshot(10));
    expect(again.check(sent(0, 0, 2))).toEqual(state.check(sent(0, 0, 2)));
  });

  test('a producer of old records is remembered as long as any other', () => {
    const state = new ProducerState(settings);
    state.apply(sent(0, 5, 2, 1_000_000));
    state.apply(sent(0, 6, 1, 10));
    expect(state.check(sent(0, 7, 1, 10))).toMatchObject({ kind: 'duplicate' });
    expect(state.check(sent(5, 7, 1, 11))).toEqual({ kind: 'append' });
    state.apply(sent(5, 7, 2, 2_000_000));
    expect(state.check(sent(5, 8, 1, 11))).toMatchObject({ code: 'UNKNOWN_PRODUCER' });
  });
});

describe('the other decisions', () => {
  test('a segment rolls by size and by age, never while it is empty', () => {
    const settings = { segmentBytes: 100, segmentMs: 1000 };
    const next = { bytes: 60, nowMs: 500 };
    expect(shouldRoll(settings, { bytes: 0, beganMs: 0 }, { bytes: 500, nowMs: 9999 })).toBe(false);
    expect(shouldRoll(settings, { bytes: 40, beganMs: 1 }, next)).toBe(false);
    expect(shouldRoll(settings, { bytes: 41, beganMs: 1 }, next)).toBe(true);
    const late = { bytes: 1, nowMs: 1500 };
    expect(shouldRoll(settings, { bytes: 1, beganMs: 500 }, late)).toBe(true);
    expect(shouldRoll(settings, { bytes: 1, beganMs: 501 }, late)).toBe(false);
    // Its age is not known: no write of this process has touched it.
    expect(shouldRoll(settings, { bytes: 1, beganMs: 0 }, late)).toBe(false);
  });

  test('retention never passes the watermark, and size spares the active segment', () => {
    const segments = [0, 10, 20].map((baseOffset) => ({
      baseOffset,
      endOffset: baseOffset + 10,
      bytes: 100,
      largestTimestamp: baseOffset,
    }));
    const facts = { segments, highWatermark: 20, logStartOffset: 0, nowMs: 1000 };
    expect(retentionStart({ retentionMs: 10, retentionBytes: -1 }, facts)).toBe(20);
    const all = { ...facts, highWatermark: 30 };
    expect(retentionStart({ retentionMs: 10, retentionBytes: -1 }, all)).toBe(30);
    expect(retentionStart({ retentionMs: -1, retentionBytes: 0 }, all)).toBe(20);
    expect(retentionStart({ retentionMs: -1, retentionBytes: 150 }, all)).toBe(10);
    expect(retentionStart({ retentionMs: -1, retentionBytes: -1 }, all)).toBe(0);
  });

  test('few files are flushed in place, many small ones through the journal', () => {
    const share = (bytes: number) => ({ files: 1, bytes, inPlaceOnly: false, isWritten: true });
    const many = (bytes: number) => Array.from({ length: 50 }, () => share(bytes));
    expect(planFlush([share(10), share(10)], 0).way).toBe('in-place');
    expect(planFlush(many(10_000), 0).way).toBe('journal');
    expect(planFlush(many(8_000_000), 3)).toEqual({ way: 'in-place', crowdedFor: 0 });
  });

  test('small rounds that follow a large one go through the journal as well, for a while', () => {
    const share = { files: 1, bytes: 10, inPlaceOnly: false, isWritten: true };
    let plan = planFlush(
      Array.from({ length: 50 }, () => share),
      0,
    );
    let rounds = 0;
    for (; plan.way === 'journal'; rounds++) plan = planFlush([share], plan.crowdedFor);
    expect(rounds).toBe(1 + journalRoundsAfterCrowd);
    expect(planFlush([share], plan.crowdedFor).way).toBe('in-place');
  });

  test('an index never points behind the batch that is looked for', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ bytes: fc.integer({ min: 61, max: 90_000 }), time: fc.nat(1000) })),
        fc.nat(),
        fc.nat(1000),
        (batches, wanted, timestamp) => {
          const index = new SparseIndex();
          const placed: { position: number; time: number }[] = [];
          let position = 0;
          for (const [at, { bytes, time }] of batches.entries()) {
            index.add({ baseOffset: at, position, bytes, maxTimestamp: time });
            placed.push({ position, time });
            position += bytes;
          }
          const at = batches.length === 0 ? 0 : wanted % batches.length;
          const found = index.floor(at);
          if (placed[at] !== undefined)
            expect(found?.position).toBeLessThanOrEqual(placed[at].position);
          const first = placed.find(({ time }) => time >= timestamp);
          const byTime = index.floorByTimestamp(timestamp);
          if (first !== undefined) expect(byTime?.position).toBeLessThanOrEqual(first.position);
        },
      ),
    );
  });
});
