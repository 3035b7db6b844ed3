import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LogEntry } from '../../../../controller/raft/core/entry.ts';
import { isUpToDate, LogView } from '../../../../controller/raft/core/log-view.ts';
import { logIndex, term as makeTerm } from '../../../../proto/model/offset.ts';

function entry(index: number, term: number): LogEntry {
  return { index: logIndex(index), term: makeTerm(term), body: { kind: 'noop' } };
}

const start = { index: logIndex(0), term: makeTerm(0) };

/** What can be done to a log; terms only grow, as a leader's do. */
const operation = fc.oneof(
  fc.record({ kind: fc.constant('append' as const), count: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ kind: fc.constant('cut' as const), from: fc.nat(20) }),
  fc.record({ kind: fc.constant('trim' as const), to: fc.nat(20) }),
);

describe('a log view', () => {
  it('is what a plain list would be, and never changes afterwards', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 30 }), (operations) => {
        let log = LogView.from(start, []);
        let plain: LogEntry[] = [];
        let base = 0;
        let term = 1;
        const past: { readonly log: LogView; readonly plain: readonly LogEntry[] }[] = [];
        for (const one of operations) {
          if (one.kind === 'append') {
            const added = Array.from({ length: one.count }, (_, at) =>
              entry(log.lastIndex + at + 1, term),
            );
            log = log.append(added);
            plain = [...plain, ...added];
          } else if (one.kind === 'cut') {
            const from = Math.max(base + 1, one.from);
            log = log.cutFrom(logIndex(from));
            plain = plain.filter(({ index }) => index < from);
            term++;
          } else {
            const to = Math.min(one.to, log.lastIndex);
            log = log.trimTo(logIndex(to));
            plain = plain.filter(({ index }) => index > to);
            base = Math.max(base, to);
          }
          past.push({ log, plain });
        }
        for (const moment of past) {
          const { lastIndex } = moment.log;
          const first = logIndex(moment.log.base.index + 1);
          expect(lastIndex < first ? [] : moment.log.between(first, lastIndex)).toEqual(
            moment.plain,
          );
        }
      }),
    );
  });

  it('finds the last entry of a term or lower, the base at the lowest', () => {
    const log = LogView.from(
      start,
      [1, 1, 2, 4, 4].map((term, at) => entry(at + 1, term)),
    );
    const found = (index: number, term: number) =>
      log.lastWithTerm(logIndex(index), makeTerm(term)).index;
    expect([found(5, 4), found(5, 3), found(4, 1), found(9, 9), found(3, 0)]).toEqual([
      5, 3, 2, 5, 0,
    ]);
  });

  it('gives at least one entry of any size, and stops at the bound of bytes', () => {
    const log = LogView.from(start, [entry(1, 1), entry(2, 1), entry(3, 1)]);
    expect(log.batchFrom(logIndex(1), 1)).toHaveLength(1);
    expect(log.batchFrom(logIndex(1), 64)).toHaveLength(2);
    expect(log.batchFrom(logIndex(4), 64)).toHaveLength(0);
  });
});

describe('being up to date', () => {
  it('is decided by the last term, then by the length', () => {
    const at = (term: number, index: number) => ({ term: makeTerm(term), index: logIndex(index) });
    expect(isUpToDate(at(2, 1), at(1, 9))).toBe(true);
    expect(isUpToDate(at(1, 9), at(2, 1))).toBe(false);
    expect(isUpToDate(at(2, 5), at(2, 5))).toBe(true);
    expect(isUpToDate(at(2, 4), at(2, 5))).toBe(false);
  });
});
