/**
 * The messages of one side of a call that are not sent yet, bounded in bytes.
 *
 * Messages that were queued in one turn, or while the transport was busy, leave as one batch: a
 * transport pays per write, not per byte.
 *
 * Invariants: order is kept; `onDrain` is called only after `send` returned false, once for each time
 * the bound was passed; nothing is called back from within `send`.
 */
import { HighwaterError } from '../../model/errors.ts';
import { limits } from '../../model/limits.ts';
import type { RpcBytes } from '../../ports/rpc.ts';
import type { CallTransport } from './transport.ts';

interface Queued {
  readonly parts: RpcBytes;
  readonly bytes: number;
  readonly sent: (() => void) | undefined;
}

/** A batch takes no more messages than this, so that tiny messages do not make a huge one. */
const batchMessagesMax = 1024;
/** Small messages are joined up to this size; a larger write gains nothing. */
const batchBytesTarget = 512 * 1024;
/** Batches with the transport at a time: one on its way, others framed behind it, so that it never idles. */
const batchesInFlightMax = 16;
const bytesInFlightMax = 2 * 1024 * 1024;

export class OutgoingMessages {
  readonly #transport: Pick<CallTransport, 'write' | 'canJoin'>;
  readonly #onDrain: () => void;
  #queue: Queued[] = [];
  /** Bytes queued or being written; bounded by the stream's limit and one message. */
  #unsentBytes = 0;
  #isFull = false;
  /** With the transport. */
  #batchesInFlight = 0;
  #bytesInFlight = 0;
  /** The transport takes one batch only until that is done: it may not be connected yet. */
  #hasWritten = false;
  #isScheduled = false;
  #onEnd: (() => void) | undefined;
  #isStopped = false;

  constructor(transport: Pick<CallTransport, 'write' | 'canJoin'>, onDrain: () => void) {
    this.#transport = transport;
    this.#onDrain = onDrain;
  }

  /** Queues an encoded message. False: the bound is reached, `onDrain` will tell. */
  send(parts: RpcBytes, bytes: number, sent?: () => void): boolean {
    if (this.#isStopped || this.#onEnd !== undefined) return true;
    this.#queue.push({ parts, bytes, sent });
    this.#unsentBytes += bytes;
    if (this.#unsentBytes >= limits.rpcStreamBufferBytesMax) this.#isFull = true;
    this.#schedule();
    return !this.#isFull;
  }

  /** Calls `onEnd` once everything queued is with the transport; what is sent later is ignored. */
  end(onEnd: () => void): void {
    if (this.#isStopped || this.#onEnd !== undefined) return;
    this.#onEnd = onEnd;
    this.#schedule();
  }

  /** Drops what is queued. Nothing is called back any more. */
  stop(): void {
    this.#isStopped = true;
    this.#queue = [];
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#writeOn();
    });
  }

  #writeOn(): void {
    while (!this.#isStopped && this.#queue.length > 0 && this.#mayWrite()) this.#writeBatch();
    if (this.#isStopped || this.#queue.length > 0 || this.#batchesInFlight > 0) return;
    this.#onEnd?.();
  }

  #mayWrite(): boolean {
    if (this.#batchesInFlight === 0) return true;
    return (
      this.#hasWritten &&
      this.#batchesInFlight < batchesInFlightMax &&
      this.#bytesInFlight < bytesInFlightMax
    );
  }

  #writeBatch(): void {
    const count = this.#batchLength();
    const batch = count === this.#queue.length ? this.#queue : this.#queue.slice(0, count);
    this.#queue = count === this.#queue.length ? [] : this.#queue.slice(count);
    let bytes = 0;
    for (const message of batch) bytes += message.bytes;
    this.#batchesInFlight++;
    this.#bytesInFlight += bytes;
    this.#transport.write(
      batch.map((message) => message.parts),
      () => {
        for (const { sent } of batch) sent?.();
        this.#written(bytes);
      },
    );
  }

  #written(bytes: number): void {
    if (this.#isStopped) return;
    this.#hasWritten = true;
    this.#batchesInFlight--;
    this.#bytesInFlight -= bytes;
    this.#unsentBytes -= bytes;
    if (this.#isFull && this.#unsentBytes <= limits.rpcStreamBufferBytesMax / 2) {
      this.#isFull = false;
      this.#onDrain();
    }
    this.#writeOn();
  }

  /** How many queued messages the next batch takes: at least one, up to the target size. */
  #batchLength(): number {
    let bytes = 0;
    let count = 0;
    for (const message of this.#queue) {
      if (count > 0 && bytes + message.bytes > batchBytesTarget) break;
      if (count === (this.#transport.canJoin ? batchMessagesMax : 1)) break;
      bytes += message.bytes;
      count++;
    }
    return count;
  }
}

/** The length of an encoded message; throws if no server would take it. */
export function measured(parts: RpcBytes): number {
  let bytes = 0;
  for (const part of parts) bytes += part.length;
  if (bytes > limits.rpcMessageBytesMax) {
    throw new HighwaterError('MESSAGE_TOO_LARGE', `a message of ${bytes} bytes was not sent`, {
      facts: { bytes, bytesMax: limits.rpcMessageBytesMax },
    });
  }
  return bytes;
}
