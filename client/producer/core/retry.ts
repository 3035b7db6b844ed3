/** What to do with a batch whose attempt failed, by the error table and its place in the sequence. */
import type { HighwaterError } from '../../../proto/model/errors.ts';

/** `sequence-lost`: the log does not hold what came before; this sequence cannot go on. */
export type RetryVerdict = 'again' | 'fail' | 'sequence-lost';

/** Where the batch stands. */
export interface RetryPlace {
  /** It carries a producer id: the broker recognises a copy. */
  readonly isSequenced: boolean;
  /** No batch before it is waiting to be sent again. */
  readonly isFirst: boolean;
}

/** Decides; `again` keeps the batch's bytes and sequence. */
export function decideRetry(failure: HighwaterError, place: RetryPlace): RetryVerdict {
  const { code } = failure;
  if (code === 'PRODUCER_FENCED') return 'sequence-lost';
  if (code === 'OUT_OF_ORDER_SEQUENCE' || code === 'UNKNOWN_PRODUCER') {
    // Behind a batch that was refused this is only the echo of it.
    return place.isFirst ? 'sequence-lost' : 'again';
  }
  // The metadata has the partition: this broker has not caught up yet. One that is deleted leaves the
  // metadata, and that ends its queue.
  if (code === 'UNKNOWN_TOPIC' || code === 'UNKNOWN_PARTITION') return 'again';
  if (!failure.retriable) return 'fail';
  // Without a sequence a second copy of what was perhaps written would be another record.
  return place.isSequenced || !failure.mayHaveBeenApplied ? 'again' : 'fail';
}
