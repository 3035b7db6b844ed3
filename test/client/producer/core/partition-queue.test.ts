import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PartitionQueue } from '../../../../client/producer/core/partition-queue.ts';
import { HighwaterError } from '../../../../proto/model/errors.ts';
import { QueueWorld } from './queue-world.ts';

const refusal = (code: ConstructorParameters<typeof HighwaterError>[0]) =>
  new HighwaterError(code, code);

function world(deadlineMs?: number): QueueWorld {
  return new QueueWorld(new PartitionQueue<number[]>(true), deadlineMs);
}

describe('the batches of one partition', () => {
  it('are at most five in flight', () => {
    const one = world();
    for (let index = 0; index < 8; index++) one.append(1);
    one.pump();
    expect(one.requests).toHaveLength(5);
    one.handle();
    one.answer();
    one.pump();
    expect(one.requests).toHaveLength(5);
  });

  it('keep their order when the first of five is refused for a while', () => {
    const one = world();
    for (let index = 0; index < 5; index++) one.append(2);
    one.pump();
    one.handle(refusal('NOT_ENOUGH_REPLICAS'));
    one.finish();
    expect(one.log.values).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect([...one.told.values()].every((told) => told === 'written')).toBe(true);
  });

  it.each(['UNKNOWN_TOPIC', 'UNKNOWN_PARTITION'] as const)(
    'are sent again when a broker that has not caught up answers %s',
    (code) => {
      const one = world();
      one.append(2);
      one.pump();
      one.handle(refusal(code));
      one.finish();
      expect(one.log.values).toEqual([0, 1]);
      expect([...one.told.values()].every((told) => told === 'written')).toBe(true);
    },
  );

  it('are written once when the answers are lost', () => {
    const one = world();
    for (let index = 0; index < 5; index++) one.append(1);
    one.pump();
    for (let index = 0; index < 5; index++) one.handle();
    one.disconnect(false);
    one.finish();
    expect(one.log.values).toEqual([0, 1, 2, 3, 4]);
    expect([...one.told.values()].every((told) => told === 'written')).toBe(true);
  });

  it('are not reported as missing when the log has them and has forgotten where', () => {
    const one = world();
    one.append(1);
    one.pump();
    one.handle(refusal('DUPLICATE_SEQUENCE'));
    one.answer();
    expect(one.told.get(0)).toBe('maybe-written');
  });

  it('that were lost with their leader fail as maybe written where that is so; the rest goes on', () => {
    const one = world();
    one.append(1);
    one.pump();
    one.handle();
    one.answer();
    one.append(1);
    one.append(1);
    one.pump();
    one.handle();
    one.disconnect(false);
    one.log.lose(2);
    one.append(1);
    one.finish();
    // 0 was acknowledged and is lost; 1 and 2 may have been written before the loss; 3 was never sent.
    expect([...one.told]).toEqual([
      [0, 'written'],
      [1, 'maybe-written'],
      [2, 'maybe-written'],
      [3, 'written'],
    ]);
    expect(one.log.values).toEqual([3]);
  });

  it('go on under another epoch behind one that was certainly refused for good', () => {
    const one = world();
    for (let index = 0; index < 3; index++) one.append(1);
    one.pump();
    one.handle(refusal('RECORD_TOO_LARGE'));
    one.finish();
    expect(one.told.get(0)).toBe('not-written');
    expect(one.log.values).toEqual([1, 2]);
    expect(one.queue.sequence.identity?.producerEpoch).toBeGreaterThan(0);
  });

  it('fail as not written at the deadline only if no attempt was under way', () => {
    const one = world(100);
    one.append(1);
    one.expire(99);
    expect(one.told.size).toBe(0);
    one.expire(1);
    expect(one.told.get(0)).toBe('not-written');
    one.append(1);
    one.pump();
    one.expire(100);
    expect(one.told.get(1)).toBe('maybe-written');
  });

  it('are not sent again under another sequence once their deadline was told', () => {
    const one = world(100);
    one.append(1);
    one.expire(50);
    one.append(1);
    one.append(1);
    one.pump();
    one.handle(refusal('NOT_ENOUGH_REPLICAS'));
    one.handle();
    one.handle();
    one.answer();
    one.answer();
    // 0 and 1 were refused, 2 is not answered yet: the sequence of all three is given up with 0.
    one.expire(100);
    expect([one.told.get(0), one.told.get(1)]).toEqual(['not-written', 'not-written']);
    one.finish();
    expect(one.log.values).not.toContain(1);
  });

  it('wait for a pause after a refusal, and not when the leader has changed', () => {
    const one = world();
    one.append(1);
    const batch = one.queue.next(0);
    if (batch === undefined) throw new Error('there is one to send');
    one.queue.send(batch);
    one.queue.refused(batch, refusal('NOT_LEADER'), 0, 50);
    expect(one.queue.next(49)).toBeUndefined();
    one.queue.leaderChanged();
    expect(one.queue.next(1)).toBe(batch);
  });

  it('without idempotence are one in flight, and never sent twice if they may be written', () => {
    const one = new QueueWorld(new PartitionQueue<number[]>(false));
    one.append(1);
    one.append(1);
    one.pump();
    expect(one.requests).toHaveLength(1);
    one.disconnect(false);
    expect(one.told.get(0)).toBe('maybe-written');
    one.pump();
    one.handle(refusal('NOT_LEADER'));
    one.finish();
    expect(one.log.values).toEqual([1]);
  });
});

const step = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ kind: 'append' as const }) },
  { weight: 6, arbitrary: fc.constant({ kind: 'pump' as const }) },
  { weight: 8, arbitrary: fc.constant({ kind: 'handle' as const }) },
  { weight: 8, arbitrary: fc.constant({ kind: 'answer' as const }) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom('NOT_LEADER', 'NOT_ENOUGH_REPLICAS', 'RECORD_TOO_LARGE')
      .map((code) => ({ kind: 'refuse' as const, code })),
  },
  { weight: 1, arbitrary: fc.boolean().map((late) => ({ kind: 'disconnect' as const, late })) },
  { weight: 1, arbitrary: fc.constant({ kind: 'straggle' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'expire' as const }) },
);
const loss = fc.record({
  kind: fc.constant('lose' as const),
  count: fc.integer({ min: 1, max: 4 }),
});
type Step = typeof step | typeof loss extends fc.Arbitrary<infer One> ? One : never;

function run(steps: readonly Step[]): QueueWorld {
  const one = world(40);
  for (const now of steps) {
    if (now.kind === 'append') one.append(1);
    else if (now.kind === 'pump') one.pump();
    else if (now.kind === 'handle') one.handle();
    else if (now.kind === 'answer') one.answer();
    else if (now.kind === 'refuse') one.handle(refusal(now.code));
    else if (now.kind === 'disconnect') one.disconnect(now.late);
    else if (now.kind === 'straggle') one.straggle();
    else if (now.kind === 'expire') one.expire(15);
    else one.log.lose(now.count);
  }
  one.finish();
  while (one.stragglers.length > 0) one.straggle();
  const { values } = one.log;
  expect(new Set(values).size, 'no record twice').toBe(values.length);
  expect(values, 'in the order of sending').toEqual(values.toSorted((a, b) => a - b));
  for (const [value, told] of one.told) {
    if (told === 'not-written') expect(values, `${value} was refused`).not.toContain(value);
  }
  expect(one.queue.isEmpty, 'everything has its outcome').toBe(true);
  return one;
}

describe('whatever happens on the way', () => {
  it('no record is doubled, none overtakes another, and what was told is true', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const one = run(steps);
        for (const [value, told] of one.told) {
          if (told === 'written') expect(one.log.values, `${value}`).toContain(value);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('a leader that loses records makes no other record doubled, disordered or misreported', () => {
    const any = fc.oneof({ weight: 20, arbitrary: step }, { weight: 1, arbitrary: loss });
    fc.assert(
      fc.property(fc.array(any, { maxLength: 120 }), (steps) => {
        run(steps);
      }),
      { numRuns: 500 },
    );
  });
});
