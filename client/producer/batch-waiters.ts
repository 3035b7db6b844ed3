/**
 * Who waits for the outcome of a batch. A record that was sent by itself has one promise, whose two
 * functions stand here at the record's index; records that were sent together share one group. Nothing
 * else is made per record.
 */
import type { HighwaterError } from '../../proto/model/errors.ts';
import type { CapturedPromise } from './captured-promise.ts';
import { type BatchReceipt, Receipt } from './receipt.ts';

/** Many records with one promise: a `sendBatch`, or a bulk writer. */
export interface WaitingGroup {
  /** `count` records of the group are in this acknowledged batch, from index `from` on. */
  written(batch: BatchReceipt, from: number, count: number): void;
  failed(error: HighwaterError, count: number): void;
}

interface GroupShare {
  readonly group: WaitingGroup;
  readonly from: number;
  count: number;
}

export class BatchWaiters {
  /** Of the records that have a promise of their own; `#indexes` says which ones these are. */
  readonly #resolves: CapturedPromise['resolve'][] = [];
  readonly #rejects: CapturedPromise['reject'][] = [];
  readonly #indexes: number[] = [];
  #groups: GroupShare[] | undefined;

  /** The record at an index has a promise of its own. */
  one(index: number, waiting: Pick<CapturedPromise, 'resolve' | 'reject'>): void {
    this.#resolves.push(waiting.resolve);
    this.#rejects.push(waiting.reject);
    this.#indexes.push(index);
  }

  /** So many records from an index on belong to a group. */
  group(index: number, group: WaitingGroup, count = 1): void {
    this.#groups ??= [];
    const last = this.#groups.at(-1);
    if (last !== undefined && last.group === group && last.from + last.count === index)
      last.count += count;
    else this.#groups.push({ group, from: index, count });
  }

  written(batch: BatchReceipt): void {
    for (let at = 0; at < this.#resolves.length; at++) {
      this.#resolves[at]?.(new Receipt(batch, this.#indexes[at] ?? 0));
    }
    for (const { group, from, count } of this.#groups ?? []) group.written(batch, from, count);
  }

  failed(error: HighwaterError): void {
    for (const reject of this.#rejects) reject(error);
    for (const { group, count } of this.#groups ?? []) group.failed(error, count);
  }
}
