import { beforeEach, describe, expect, it } from 'vitest';
import { judgeCompacted, type KeyedRecord } from './compacted-audit.ts';
import { type Fate, Ledger, type SentRecord } from './ledger.ts';

describe('the audit of a compacted log', () => {
  let ledger: Ledger;

  const sent = (number: number, key: string, fate: Fate = 'under-way'): SentRecord => {
    const value = `1-${number}`;
    const one = { value, place: 't/0', key, writer: 1, number, acks: 'all' as const };
    const record: SentRecord = { ...one, fate, offset: undefined, topicId: undefined };
    ledger.sent(record);
    return record;
  };
  const at = (offset: number, number: number, key: string): KeyedRecord => ({
    offset,
    key,
    value: `1-${number}`,
  });
  const judge = (...logs: KeyedRecord[][]): void =>
    judgeCompacted(
      't/0',
      logs.map((found, index) => ({ node: index + 1, found })),
      ledger,
    );

  beforeEach(() => {
    ledger = new Ledger(() => undefined);
    for (const [number, key] of ['a', 'b', 'a', 'b'].entries())
      ledger.acknowledge(sent(number + 1, key), number, false);
    sent(5, 'b', 'maybe-written');
  });

  it('holds with the last of each key, whatever older ones are left', () => {
    judge([at(2, 3, 'a'), at(3, 4, 'b')], [at(0, 1, 'a'), at(2, 3, 'a'), at(3, 4, 'b')]);
    judge([at(2, 3, 'a'), at(4, 5, 'b')]);
  });

  it.each<[string, KeyedRecord[][]]>([
    ['b ends with number 2, 4 was acknowledged', [[at(1, 2, 'b'), at(2, 3, 'a')]]],
    ['a ends with number 0', [[at(3, 4, 'b')]]],
    [
      'replicas-agree',
      [
        [at(2, 3, 'a'), at(3, 4, 'b')],
        [at(2, 3, 'a'), at(4, 5, 'b')],
      ],
    ],
    ['acknowledged at 2', [[at(7, 3, 'a'), at(8, 4, 'b')]]],
    ['order', [[at(3, 4, 'b'), at(4, 2, 'b')]]],
    ['nobody sent', [[at(2, 9, 'a')]]],
    ['nobody sent', [[at(2, 3, 'b')]]],
  ])('%s: a violation', (what, logs) => {
    if (what === 'order') ledger.promised.length = 0;
    expect(() => judge(...logs)).toThrow(what);
  });

  it('a record that was refused: a violation', () => {
    sent(6, 'a', 'not-written');
    expect(() => judge([at(2, 3, 'a'), at(3, 4, 'b'), at(6, 6, 'a')])).toThrow('refused');
  });
});
