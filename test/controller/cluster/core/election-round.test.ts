import { describe, expect, test } from 'vitest';
import {
  decideRound,
  type ElectionRound,
  type RoundAnswer,
} from '../../../../controller/cluster/core/election-round.ts';
import { nodeId } from '../../../../proto/model/ids.ts';
import { brokerEpoch, leaderEpoch, offset } from '../../../../proto/model/offset.ts';

const nodes = (...ids: number[]) => ids.map(nodeId);

function answer(node: number, verified: number, end: number, isSuspect = false): RoundAnswer {
  return {
    nodeId: nodeId(node),
    brokerEpoch: brokerEpoch(node),
    verifiedEpoch: leaderEpoch(verified),
    storedEnd: offset(end),
    isSuspect,
  };
}

function round(over: Partial<ElectionRound>): ElectionRound {
  return {
    replicas: nodes(1, 2, 3),
    isr: nodes(1, 2, 3),
    elr: [],
    semiSyncMembers: [],
    semiSyncReplicas: 2,
    minInsyncReplicas: 2,
    suspects: [],
    answers: [],
    reachable: [],
    decidableSinceMs: undefined,
    graceMs: 100,
    uncleanRecovery: 'wait',
    ...over,
  };
}

describe('a round is decided', () => {
  test('by one member of the ISR that kept its storage', () => {
    const verdict = decideRound(round({ answers: [answer(2, 1, 5)] }), 0);
    expect(verdict).toMatchObject({ kind: 'elected', leader: 2, isUnclean: false });
  });

  test('not by a replica outside ISR and ELR, nor by a suspect one', () => {
    const isr = nodes(1, 2);
    const outside = decideRound(round({ isr, answers: [answer(3, 9, 9)] }), 0);
    expect(outside).toMatchObject({ kind: 'waiting', lacksEligible: true, waitingFor: [1, 2] });
    const suspect = decideRound(round({ isr, answers: [answer(1, 9, 9, true)] }), 0);
    expect(suspect).toMatchObject({ kind: 'waiting', lacksEligible: true });
  });

  test('by an eligible leader replica, which joins the ISR and leaves the ELR', () => {
    const answers = [answer(3, 1, 5)];
    const verdict = decideRound(round({ isr: nodes(1), elr: nodes(3), answers }), 0);
    expect(verdict).toMatchObject({ kind: 'elected', leader: 3, isr: [1, 3], elr: [] });
  });

  test('only when fewer than k semi-sync members are missing, suspects among them', () => {
    const semiSyncMembers = nodes(1, 2, 3);
    const one = decideRound(round({ semiSyncMembers, answers: [answer(3, 1, 1)] }), 0);
    expect(one).toMatchObject({ kind: 'waiting', lacksSemiSync: true, waitingFor: [1, 2] });
    const answers = [answer(3, 1, 1), answer(2, 1, 2)];
    expect(decideRound(round({ semiSyncMembers, answers }), 0)).toMatchObject({ leader: 2 });
    const suspects = nodes(2);
    const verdict = decideRound(round({ semiSyncMembers, suspects, answers }), 0);
    expect(verdict).toMatchObject({ kind: 'waiting', waitingFor: [1, 2] });
  });

  test('after a grace for those that may still answer, and at once when all have', () => {
    const answers = [answer(2, 1, 5)];
    const open = round({ answers, reachable: nodes(2, 3) });
    expect(decideRound(open, 50)).toEqual({ kind: 'grace', sinceMs: 50, waitingFor: [3] });
    expect(decideRound({ ...open, decidableSinceMs: 50 }, 149).kind).toBe('grace');
    expect(decideRound({ ...open, decidableSinceMs: 50 }, 150)).toMatchObject({ leader: 2 });
    const all = round({ answers: [...answers, answer(3, 1, 5)], reachable: nodes(2, 3) });
    expect(decideRound(all, 50).kind).toBe('elected');
  });
});

describe('the winner', () => {
  test('has the greatest verified epoch, then the greatest stored end, wherever it is', () => {
    const answers = [answer(1, 1, 9), answer(2, 2, 3), answer(3, 2, 4)];
    const verdict = decideRound(round({ isr: nodes(1, 2), answers }), 0);
    expect(verdict).toMatchObject({ leader: 3, isr: [1, 2, 3] });
  });

  test('among equal answers is the most preferred: the successor of a planned move', () => {
    const answers = [answer(1, 2, 4), answer(3, 2, 4)];
    const verdict = decideRound(round({ replicas: nodes(3, 1, 2), answers }), 0);
    expect(verdict).toMatchObject({ leader: 3 });
  });

  test('joins the semi-sync members where the level is in use', () => {
    const answers = [answer(3, 1, 1), answer(1, 1, 0)];
    const used = round({ isr: nodes(1), semiSyncMembers: nodes(1, 2), answers });
    expect(decideRound(used, 0)).toMatchObject({ leader: 3, semiSyncMembers: [1, 2, 3] });
  });
});

describe('where all that is left is suspect', () => {
  const answers = [answer(1, 1, 4, true), answer(2, 1, 7, true), answer(3, 1, 2, true)];

  test('the partition waits', () => {
    expect(decideRound(round({ answers }), 0).kind).toBe('waiting');
  });

  test('it goes on with the longest where the topic says so, and says that it is unclean', () => {
    const verdict = decideRound(round({ answers, uncleanRecovery: 'longest' }), 0);
    expect(verdict).toMatchObject({ kind: 'elected', leader: 2, isr: [2], isUnclean: true });
  });

  test('not before every replica has said what it has', () => {
    const some = round({ answers: answers.slice(1), uncleanRecovery: 'longest' });
    expect(decideRound(some, 0).kind).toBe('waiting');
  });
});
