/** What a follower takes from a leader that has put empty batches together, and what it refuses. */
import { expect, test } from 'vitest';
import { checkReplicated } from '../../../broker/replication/batch-intake.ts';
import { leaderEpoch, offset } from '../../../proto/model/offset.ts';
import { readBatchHeader } from '../../../proto/wire/batch-header.ts';
import { emptyBatch } from '../../../proto/wire/empty-batch.ts';
import { batch } from '../log/batches.ts';

const span = { baseOffset: 10, lastOffset: 29, leaderEpoch: 1, maxTimestamp: 5 };

const taken = (bytes: Buffer, from: number): ReturnType<typeof checkReplicated> =>
  checkReplicated({
    stream: 1,
    leaderEpoch: leaderEpoch(1),
    baseOffset: offset(from),
    bytes,
    watermark: offset(0),
  });

test('an empty span that began before the end of the log is taken from there on', () => {
  const run = taken(Buffer.concat([emptyBatch(span), batch({ baseOffset: 30, epoch: 1 })]), 20);
  expect(run?.endOffset).toBe(31);
  expect(run?.epochs).toEqual([{ epoch: 1, startOffset: 20 }]);
  const header = readBatchHeader(run?.batches[0] ?? Buffer.alloc(0), 0);
  expect(header).toMatchObject({ baseOffset: 20, lastOffset: 29, recordCount: 0 });
});

test('records that begin before the end of the log are refused', () => {
  expect(taken(batch({ baseOffset: 10, count: 20, epoch: 1 }), 20)).toBeUndefined();
  expect(taken(batch({ baseOffset: 20, count: 20, epoch: 1 }), 20)?.endOffset).toBe(40);
});
