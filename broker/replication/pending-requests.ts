/**
 * Produce requests of one partition until they are answered, each exactly once. Nothing here is per
 * record.
 */
import { invariant } from '../../proto/model/invariant.ts';
import { type Offset, offset } from '../../proto/model/offset.ts';
import { Queue } from '../../proto/model/queue.ts';
import type { ProduceResult } from './core/effects.ts';
import type { Produce, RequestToken } from './core/inputs.ts';

type Done = (result: ProduceResult) => void;

interface PendingRequest {
  /** Undefined once it is appended: from there on the log alone decides how long it stays in memory. */
  batch: Buffer | undefined;
  readonly done: Done;
}

export class PendingRequests {
  /** By token, from `#firstToken` on; answered ones are empty until all before them are answered too. */
  readonly #pending = new Queue<PendingRequest | 'answered'>();
  #firstToken: RequestToken = 1;

  /** Names the request. Without a batch it only waits for what is there. */
  add(batch: Buffer | undefined, done: Done): RequestToken {
    this.#pending.push({ batch, done });
    return this.#firstToken + this.#pending.length - 1;
  }

  /** The batch, to be appended now. */
  takeBatch(token: RequestToken): Buffer {
    const pending = this.#waiting(token);
    const batch = pending?.batch;
    invariant(pending !== undefined && batch !== undefined, 'a request is appended once');
    pending.batch = undefined;
    return batch;
  }

  answer(token: RequestToken, result: ProduceResult): void {
    const pending = this.#waiting(token);
    if (pending === undefined) return;
    this.#pending.set(token - this.#firstToken, 'answered');
    while (this.#pending.at(0) === 'answered') {
      this.#pending.shift();
      this.#firstToken++;
    }
    pending.done(result);
  }

  #waiting(token: RequestToken): PendingRequest | undefined {
    const pending = this.#pending.at(token - this.#firstToken);
    return pending === 'answered' ? undefined : pending;
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
