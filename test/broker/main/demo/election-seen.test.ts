import { describe, expect, it } from 'vitest';
import { electionOf } from '../../../../broker/main/demo/election-seen.ts';
import { eventText } from '../../../../broker/main/demo/journal.ts';
import { quantile } from '../../../../broker/main/demo/quantile.ts';

function event(evidence: Record<string, string>, kind = 'leader-elected') {
  return {
    sequence: 1,
    wallMs: 0,
    kind,
    subject: 'orders/0',
    reason: 'leader-lost',
    evidence,
    revision: 9,
  };
}

describe('an election of the journal', () => {
  it('is read with every promise', () => {
    const seen = electionOf(
      event({ leader: '3', leaderEpoch: '5', answers: '1: epoch 4 end 90, 3: epoch 4 end 100' }),
    );
    expect(seen).toEqual({
      leader: 3,
      epoch: 5,
      answers: [
        { node: 1, epoch: 4, end: 90, isSuspect: false },
        { node: 3, epoch: 4, end: 100, isSuspect: false },
      ],
      greatest: 3,
    });
  });

  it('names who should have won: the epoch comes before the end, and suspects do not count', () => {
    const answers = '1: epoch 4 end 90, 2: epoch 9 end 900 suspect, 3: epoch 3 end 100';
    expect(electionOf(event({ leader: '3', leaderEpoch: '5', answers }))?.greatest).toBe(1);
  });

  it('lets any of equal answers win', () => {
    const answers = '1: epoch 4 end 90, 3: epoch 4 end 90';
    for (const leader of ['1', '3'])
      expect(electionOf(event({ leader, leaderEpoch: '5', answers }))?.greatest).toBe(
        Number(leader),
      );
  });

  it('is no other event', () => {
    expect(electionOf(event({}, 'isr-changed'))).toBeUndefined();
  });
});

describe('an event as it is told', () => {
  it('has no noise behind the point and no empty facts', () => {
    expect(eventText(event({ silentMs: '47.279', elr: '', isr: '1,2' }))).toBe(
      'leader-elected orders/0: leader-lost (silentMs 47; isr 1,2)',
    );
  });
});

describe('a quantile', () => {
  it('is a value of the sample, and nothing of an empty one', () => {
    expect(quantile([5, 1, 3], 0.5)).toBe(3);
    expect(quantile([5, 1, 3], 0.99)).toBe(5);
    expect(quantile([5, 1, 3], 0)).toBe(1);
    expect(quantile([], 0.5)).toBeNaN();
  });
});
