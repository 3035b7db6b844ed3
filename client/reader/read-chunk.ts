/** What one message brought for one partition, checked; and the queue of what is not consumed. */
import { HighwaterError } from '../../proto/model/errors.ts';
import { Queue } from '../../proto/model/queue.ts';
import type { BatchHeader } from '../../proto/wire/batch-header.ts';
import { nextBatch } from '../../proto/wire/batch-scan.ts';
import type { PartitionCursor } from './partition-cursor.ts';
import type { BatchPlace } from './read-record.ts';

/** Whole batches of one partition, their checksums verified. */
export interface ReadChunk {
  readonly cursor: PartitionCursor;
  readonly place: BatchPlace;
  readonly bytes: Buffer;
  readonly headers: readonly BatchHeader[];
  /** Everything below the watermark of that moment is delivered with it. */
  readonly isCaughtUp: boolean;
}

/** The part of a message's payload that belongs to one partition. */
export function shareOf(payload: Uint8Array | undefined, from: number, length: number): Buffer {
  if (payload === undefined || length === 0) return Buffer.alloc(0);
  return Buffer.from(payload.buffer, payload.byteOffset + from, length);
}

/** The heads of the batches in a message; throws CORRUPT_BATCH if any byte of them is wrong. */
export function scanBatches(bytes: Buffer): BatchHeader[] {
  const headers: BatchHeader[] = [];
  let at = 0;
  for (;;) {
    const step = nextBatch(bytes, at);
    switch (step.kind) {
      case 'end':
        return headers;
      case 'batch':
        headers.push(step);
        at += step.byteLength;
        break;
      case 'torn':
        throw new HighwaterError('CORRUPT_BATCH', 'a message ends inside a batch');
      case 'damaged':
        throw new HighwaterError('CORRUPT_BATCH', step.fault.reason);
    }
  }
}

/** Chunks in the order of their arrival. Its bound in bytes is kept by the credit that is granted. */
export class ChunkQueue {
  readonly #chunks = new Queue<ReadChunk>();
  #bytes = 0;
  #wake: (() => void) | undefined;
  #end: { readonly error: HighwaterError | undefined } | undefined;

  /** Received and not yet consumed. */
  get bytes(): number {
    return this.#bytes;
  }

  push(chunk: ReadChunk): void {
    if (this.#end !== undefined) return;
    this.#chunks.push(chunk);
    this.#bytes += chunk.bytes.length;
    this.#wake?.();
  }

  /** Nothing more comes: an orderly end, or an error that is thrown behind what is queued. */
  finish(error?: HighwaterError): void {
    this.#end ??= { error };
    this.#wake?.();
  }

  /** Drops what is queued. */
  clear(): void {
    this.#chunks.clear();
    this.#bytes = 0;
  }

  /** The next chunk, if there is one at once. The caller says `consumed` when it is done with it. */
  take(): ReadChunk | undefined {
    return this.#chunks.shift();
  }

  consumed(chunk: ReadChunk): void {
    this.#bytes = Math.max(0, this.#bytes - chunk.bytes.length);
  }

  /** Resolves when there is a chunk (true) or an orderly end (false); rejects with the error. */
  async arrived(): Promise<boolean> {
    for (;;) {
      if (this.#chunks.length > 0) return true;
      if (this.#end !== undefined) {
        if (this.#end.error !== undefined) throw this.#end.error;
        return false;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }
}
