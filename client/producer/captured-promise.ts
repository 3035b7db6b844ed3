/**
 * A promise with its two functions, at the price of the promise: one executor serves all, where a
 * closure for each would cost as much again.
 */
import type { HighwaterError } from '../../proto/model/errors.ts';
import type { Receipt } from './receipt.ts';

/** A send that is not decided. */
export interface CapturedPromise {
  readonly promise: Promise<Receipt>;
  readonly resolve: (receipt: Receipt) => void;
  readonly reject: (error: HighwaterError) => void;
}

let resolveOfLast: CapturedPromise['resolve'] = () => {};
let rejectOfLast: CapturedPromise['reject'] = () => {};

const capture = (resolve: CapturedPromise['resolve'], reject: CapturedPromise['reject']): void => {
  resolveOfLast = resolve;
  rejectOfLast = reject;
};

/** One promise for one record. */
export function capturePromise(): CapturedPromise {
  const promise = new Promise<Receipt>(capture);
  return { promise, resolve: resolveOfLast, reject: rejectOfLast };
}
