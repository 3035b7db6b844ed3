import { describe, expect, it } from 'vitest';
import { leaderEpoch, offset } from '../../../proto/model/offset.ts';
import { type FoundBatch, FoundInLog, type KeptBesideLog } from './log-agrees.ts';

const batch = (at: number, epoch: number): FoundBatch => ({
  baseOffset: offset(at),
  leaderEpoch: epoch,
  producerId: 7,
});

const kept = (over: Partial<KeptBesideLog<FoundBatch>> = {}): KeptBesideLog<FoundBatch> => ({
  history: [
    { epoch: leaderEpoch(1), startOffset: offset(0) },
    { epoch: leaderEpoch(2), startOffset: offset(3) },
  ],
  judgeProducer: ({ baseOffset }) => ({
    kind: 'duplicate',
    baseOffset,
    endOffset: offset(baseOffset + 1),
  }),
  ...over,
});

function found(): FoundInLog<FoundBatch> {
  const log = new FoundInLog<FoundBatch>();
  for (const one of [batch(0, 1), batch(2, 1), batch(3, 2)]) log.take(one);
  return log;
}

describe('S13: what is kept beside a log', () => {
  it('holds where both say the same', () => {
    expect(() => found().expectSame('here', kept())).not.toThrow();
  });

  it('is violated by an epoch that begins elsewhere, or is missing', () => {
    const history = [{ epoch: leaderEpoch(1), startOffset: offset(0) }];
    expect(() => found().expectSame('here', kept({ history }))).toThrow('epoch 2 begins at 3');
  });

  it('is violated by a producer whose last batch is taken for a fresh one', () => {
    const judgeProducer = () => ({ kind: 'fresh' as const });
    expect(() => found().expectSame('here', kept({ judgeProducer }))).toThrow('producer-state');
  });
});
