import { describe, expect, test } from 'vitest';
import { proposalReason } from '../../../../broker/replication/core/proposal-reason.ts';
import { leader, nodes, only, produce, report, stored, tick } from './builders.ts';

describe('the reason of a proposal', () => {
  test('names who has fallen behind, with how far in time and records beside it', () => {
    const state = leader();
    report(state, 2, 0);
    report(state, 3, 0);
    tick(state, 0, 0);
    produce(state);
    stored(state, 1);
    report(state, 2, 1);
    tick(state, 4_000, 4_000);
    const [proposed] = only(tick(state, 6_000, 2_000), 'propose');
    if (proposed === undefined) throw new Error('nothing was proposed');
    const { reason, evidence } = proposalReason(state, proposed.proposal);
    expect(reason).toBe('node 3 has fallen behind');
    expect(Object.fromEntries(evidence)).toEqual({
      'behindMs.3': '6000',
      'behindRecords.3': '1',
    });
  });

  test('names who has caught up', () => {
    const state = leader({ isr: nodes(1, 2) });
    const [proposed] = only(report(state, 3, 0), 'propose');
    if (proposed === undefined) throw new Error('nothing was proposed');
    expect(proposalReason(state, proposed.proposal).reason).toBe('node 3 has caught up');
  });
});
