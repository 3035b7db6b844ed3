import { describe, expect, it, test } from 'vitest';
import type { AnomalyName } from './anomaly.ts';
import { cleanHistory } from './clean-history.ts';
import { judgeHistory, whyVacuous } from './judge-history.ts';
import type { Operation, Poll, Send } from './operation.ts';

const history = cleanHistory({ seed: 'base', sends: 400 });
/** In the middle of the log of partition p0, acknowledged and followed by others. */
const victim = acknowledged('p0')[60];
if (victim === undefined) throw new Error('the history is long enough');

function acknowledged(partition: string): Send[] {
  return history.filter(
    (one) => one.kind === 'send' && one.outcome === 'ok' && one.partition === partition,
  ) as Send[];
}

/** The history with each operation replaced. */
function mapped(change: (operation: Operation) => Operation): Operation[] {
  return history.map(change);
}

function mapPolls(change: (poll: Poll) => Poll): Operation[] {
  return mapped((one) => (one.kind === 'poll' ? change(one) : one));
}

function anomaliesOf(operations: readonly Operation[]): AnomalyName[] {
  return [...new Set(judgeHistory(operations).anomalies.map(({ name }) => name))].sort();
}

const isVictim = ({ value }: { readonly value: string }): boolean => value === victim.value;

const mutations: ReadonlyArray<readonly [AnomalyName, string, () => Operation[]]> = [
  [
    'unseen',
    'the last record is on no replica',
    () => {
      const last = acknowledged('p0').at(-1);
      return mapPolls((poll) => ({
        ...poll,
        records: poll.records.filter(({ value }) => value !== last?.value),
      }));
    },
  ],
  [
    'lost-on-node',
    'one replica ends earlier than the others',
    () =>
      mapPolls((poll) =>
        poll.finalOf === 2 ? { ...poll, records: poll.records.slice(0, -30) } : poll,
      ),
  ],
  [
    'aborted-read',
    'a record that was read turns out to have been refused',
    () =>
      mapped((one) => {
        if (one.kind !== 'send' || !isVictim(one)) return one;
        const { offset: _offset, ...refused } = one;
        return { ...refused, outcome: 'fail' };
      }),
  ],
  [
    'phantom-read',
    'a record was sent by nobody',
    () => history.filter((one) => one.kind !== 'send' || !isVictim(one)),
  ],
  [
    'inconsistent-offsets',
    'a reader saw another value at an offset than everybody else',
    () => {
      const offset = victim.offset ?? 0;
      const other = { ...victim, kind: 'send', value: 'other', outcome: 'info' } as const;
      const { offset: _offset, ...doubtful } = other;
      const process = 'one more reader';
      const times = { invokedMs: victim.completedMs, completedMs: victim.completedMs };
      const records = [{ offset, value: 'other' }];
      const poll: Poll = { kind: 'poll', process, partition: 'p0', ...times, records };
      return [...history, { ...doubtful, process: 'one more producer' }, poll];
    },
  ],
  [
    'double-leader',
    'two brokers acknowledged in one epoch',
    () => mapped((one) => (one.kind === 'send' && isVictim(one) ? { ...one, leader: 9 } : one)),
  ],
  [
    'nonmonotonic-poll',
    'a reader gets the same record again',
    () =>
      mapPolls((poll) =>
        poll.finalOf === 1 && poll.partition === 'p0'
          ? { ...poll, records: [...poll.records, ...poll.records.slice(-1)] }
          : poll,
      ),
  ],
];

describe('the checkers', () => {
  it.each([1, 2, 3, 4, 5])('find nothing in a history without fault (seed %i)', (seed) => {
    const judgement = judgeHistory(cleanHistory({ seed: String(seed), sends: 1_000 }));
    expect(judgement.anomalies).toEqual([]);
    expect(whyVacuous(judgement)).toBeUndefined();
  });

  it.each(mutations)('find %s and nothing else where %s', (name, _story, mutate) => {
    expect(anomaliesOf(mutate())).toEqual([name]);
  });

  it('find an acknowledged record that is nowhere, which every reader therefore left out', () => {
    const lost = mapPolls((poll) => ({
      ...poll,
      records: poll.records.filter((record) => !isVictim(record)),
    }));
    expect(anomaliesOf(lost)).toEqual(['lost-write', 'poll-skip']);
  });

  it('find a record that stands twice, also as what it is to its readers', () => {
    const copies = mapPolls((poll) => ({
      ...poll,
      records: poll.records.flatMap((record) =>
        isVictim(record) ? [record, { ...record, offset: record.offset + 0.5 }] : [record],
      ),
    }));
    expect(anomaliesOf(copies)).toEqual(['duplicate']);
  });

  it('find a reader that leaves out a record which others were given', () => {
    const skipping = mapPolls((poll) =>
      poll.finalOf === undefined
        ? poll
        : poll.finalOf === 1
          ? { ...poll, records: poll.records.filter((record) => !isVictim(record)) }
          : poll,
    );
    expect(anomaliesOf(skipping)).toContain('poll-skip');
  });

  it('find two sends of one producer that stand the wrong way round', () => {
    const own = acknowledged('p0').filter(({ process }) => process === victim.process);
    const after = own[own.indexOf(victim) + 1];
    if (after === undefined) throw new Error('the producer sent on');
    const places = new Map([
      [victim.value, after.offset ?? 0],
      [after.value, victim.offset ?? 0],
    ]);
    const swapped = mapped((one) => {
      if (one.kind === 'send') {
        const offset = places.get(one.value);
        return offset === undefined ? one : { ...one, offset };
      }
      if (one.kind !== 'poll') return one;
      const records = one.records.map(({ offset, value }) => ({
        offset: places.get(value) ?? offset,
        value,
      }));
      return { ...one, records: records.sort((a, b) => a.offset - b.offset) };
    });
    expect(anomaliesOf(swapped)).toEqual(
      expect.arrayContaining(['nonmonotonic-send', 'realtime-order']),
    );
  });
});

test('a run in which hardly anything was acknowledged proves nothing, and says so', () => {
  const refused = history.map(
    (one): Operation => (one.kind === 'send' ? { ...one, outcome: 'info' } : one),
  );
  expect(whyVacuous(judgeHistory(refused))).toContain('0 of 400');
});
