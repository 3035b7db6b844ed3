/**
 * Produce requests of one partition until they are answered, each exactly once. Nothing here is per
 * record.
 */
import { invariant } from '../../proto/model/invariant.ts';
import { Numbered } from '../../proto/model/numbered.ts';
import { type Offset, offset } from '../../proto/model/offset.ts';
import type { ProduceResult } from './core/effects.ts';
import type { Produce, RequestToken } from './core/inputs.ts';

type Done = (result: ProduceResult) => void;

interface PendingRequest {
  /** Undefined once it is appended: from there on the log alone decides how long it stays in memory. */
  batch: Buffer | undefined;
  readonly done: Done;
}

export class PendingRequests {
  readonly #pending = new Numbered<PendingRequest>();

  /** Names the request. Without a batch it only waits for what is there. */
  add(batch: Buffer | undefined, done: Done): RequestToken {
    return this.#pending.add({ batch, done });
  }

  /** The batch, to be appended now. */
  takeBatch(token: RequestToken): Buffer {
    const pending = this.#pending.get(token);
    const batch = pending?.batch;
    invariant(pending !== undefined && batch !== undefined, 'a request is appended once');
    pending.batch = undefined;
    return batch;
  }

  answer(token: RequestToken, result: ProduceResult): void {
    this.#pending.take(token)?.done(result);
  }
}

/** A request that waits for what ends there, as a duplicate of it does: it appends nothing. */
export function waitFor(
  endOffset: Offset,
  request: Pick<Produce, 'token' | 'acks' | 'deadlineMs' | 'nowMs'>,
): Produce {
  const baseOffset = offset(Math.max(0, endOffset - 1));
  return {
    ...request,
    kind: 'produce',
    count: 1,
    verdict: { kind: 'duplicate', baseOffset, endOffset },
    expectedOffset: undefined,
    isDiskFull: false,
  };
}
