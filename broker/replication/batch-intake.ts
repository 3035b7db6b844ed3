/** What a follower checks of batches before it takes them (rule B2.9): bytes, order and epochs. */
import { leaderEpoch, type Offset } from '../../proto/model/offset.ts';
import { nextBatch } from '../../proto/wire/batch-scan.ts';
import { emptyFrom } from '../../proto/wire/empty-batch.ts';
import type { EpochHistory, EpochStart } from '../log/core/epoch-history.ts';
import type { ReplicatedBatches } from './replica.ts';

export interface CheckedRun {
  readonly endOffset: Offset;
  readonly epochs: EpochHistory;
  /** One view for each batch. */
  readonly batches: readonly Buffer[];
}

/** The run's end and epochs; undefined if anything in it is wrong. */
export function checkReplicated(batches: ReplicatedBatches): CheckedRun | undefined {
  const { bytes } = batches;
  const epochs: EpochStart[] = [];
  const views: Buffer[] = [];
  let end: Offset = batches.baseOffset;
  let epoch = -1;
  let at = 0;
  while (at < bytes.length) {
    const batch = nextBatch(bytes, at);
    if (batch.kind !== 'batch') return undefined;
    // Compaction leaves gaps between batches, never overlaps; an epoch of the future is damage.
    const isFirst = at === 0;
    if (isFirst ? batch.lastOffset < batches.baseOffset : batch.baseOffset < end) return undefined;
    if (batch.leaderEpoch < epoch || batch.leaderEpoch > batches.leaderEpoch) return undefined;
    if (batch.leaderEpoch > epoch) {
      epoch = batch.leaderEpoch;
      const startOffset = isFirst ? batches.baseOffset : batch.baseOffset;
      epochs.push({ epoch: leaderEpoch(epoch), startOffset });
    }
    const view = bytes.subarray(at, at + batch.byteLength);
    const start = isFirst ? batches.baseOffset : batch.baseOffset;
    // A leader that compacted may have put empty batches together beyond where this log ends.
    if (batch.baseOffset < start && batch.recordCount > 0) return undefined;
    views.push(batch.baseOffset < start ? emptyFrom(view, start) : view);
    end = (batch.lastOffset + 1) as Offset;
    at += batch.byteLength;
  }
  return { endOffset: end, epochs, batches: views };
}
