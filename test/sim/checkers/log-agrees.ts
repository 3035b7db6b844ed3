/**
 * S13: what is kept beside a log agrees with the log. The epoch history names the first record of every
 * epoch, and the newest batch of every producer is known again.
 */
import type { EpochHistory } from '../../../broker/log/core/epoch-history.ts';
import type { ProducerVerdict } from '../../../broker/replication/core/inputs.ts';
import type { BatchHeader } from '../../../proto/wire/batch-header.ts';
import { Violation } from '../world.ts';

/** What is looked at of a batch. */
export type FoundBatch = Pick<BatchHeader, 'leaderEpoch' | 'baseOffset' | 'producerId'>;

/** What one replica keeps beside its log. */
export interface KeptBesideLog<Batch extends FoundBatch = BatchHeader> {
  readonly history: EpochHistory;
  judgeProducer(header: Batch): ProducerVerdict | undefined;
}

/** What is found by reading a log from its beginning. */
export class FoundInLog<Batch extends FoundBatch = BatchHeader> {
  /** The first offset of each epoch. */
  readonly #starts = new Map<number, number>();
  readonly #newest = new Map<number, Batch>();

  take(header: Batch): void {
    const { leaderEpoch, baseOffset, producerId } = header;
    if (!this.#starts.has(leaderEpoch)) this.#starts.set(leaderEpoch, baseOffset);
    if (producerId >= 0) this.#newest.set(producerId, header);
  }

  /** `where` names the replica. */
  expectSame(where: string, kept: KeptBesideLog<Batch>): void {
    for (const [epoch, start] of this.#starts) {
      const known = kept.history.find((one) => one.epoch === epoch);
      if (known?.startOffset !== start)
        throw new Violation(
          'epoch-history',
          `${where}: epoch ${epoch} begins at ${start}, not at ${known?.startOffset}`,
        );
    }
    for (const [producer, header] of this.#newest) {
      const verdict = kept.judgeProducer(header);
      if (verdict?.kind !== 'duplicate' || verdict.baseOffset !== header.baseOffset)
        throw new Violation(
          'producer-state',
          `${where}: the last batch of producer ${producer}, at ${header.baseOffset}, is ${verdict?.kind}`,
        );
    }
  }
}
