/**
 * What one side of a link has to send. All that one turn produced leaves in one write: frames of the
 * link itself first, then one frame of each stream in turn, so that a bulk stream delays another by
 * no more than what the machine has already been given.
 *
 * Invariants: (1) the machine is given at most about 2 MiB that it has not taken; (2) all that waits
 * is at most `linkBufferBytesMax`, beyond it the link is given up; (3) payload parts of 1 KiB and more
 * are never copied, smaller parts that follow each other leave as one.
 */
import { limits } from '../model/limits.ts';
import type { Clock } from '../ports/clock.ts';
import { type CreditGrant, encodeCredit } from './frame.ts';
import type { LinkStreamEnd, OutgoingFrame } from './link-stream.ts';
import type { Wire } from './wire.ts';

const batchBytesTarget = 1024 * 1024;
const smallBytes = 1024;
const noParts: readonly Uint8Array[] = [];

export class Outbox {
  readonly #clock: Clock;
  readonly #onOverflow: () => void;
  #wire: Wire | undefined;
  #isStopped = false;
  #isScheduled = false;
  /** Frames of the link itself, whole. */
  #own: Buffer[] = [];
  /** Streams with frames that may leave, in turn. A stream is here at most once. */
  readonly #turns = new Set<LinkStreamEnd>();
  readonly #creditors = new Set<LinkStreamEnd>();
  /** Bytes in the queues of all streams. */
  #queuedBytes = 0;
  /** Bytes given to the machine that it has not taken. */
  #unsentBytes = 0;

  constructor(clock: Clock, onOverflow: () => void) {
    this.#clock = clock;
    this.#onOverflow = onOverflow;
  }

  /** From here on things leave. */
  start(wire: Wire): void {
    this.#wire = wire;
    this.#schedule();
  }

  stop(): void {
    this.#isStopped = true;
    this.#wire = undefined;
    this.#own = [];
    this.#turns.clear();
    this.#creditors.clear();
  }

  /** A frame of the link itself. */
  sendOwn(frame: Buffer): void {
    if (this.#isStopped) return;
    this.#own.push(frame);
    this.#schedule();
  }

  frameQueued(stream: LinkStreamEnd, bytes: number): void {
    this.#queuedBytes += bytes;
    this.wake(stream);
    if (this.#queuedBytes + this.#unsentBytes > limits.linkBufferBytesMax) this.#onOverflow();
  }

  /** The stream may have become able to send. */
  wake(stream: LinkStreamEnd): void {
    if (this.#isStopped || !stream.isReady) return;
    this.#turns.add(stream);
    this.#schedule();
  }

  creditDue(stream: LinkStreamEnd): void {
    if (this.#isStopped) return;
    this.#creditors.add(stream);
    this.#schedule();
  }

  /** The stream takes nothing more, so the peer needs no credit for it. */
  dropCredit(stream: LinkStreamEnd): void {
    this.#creditors.delete(stream);
  }

  /** The stream is gone with all that it had queued. */
  forget(stream: LinkStreamEnd): void {
    this.#queuedBytes -= stream.queuedBytes;
    this.#turns.delete(stream);
    this.#creditors.delete(stream);
  }

  #schedule(): void {
    if (this.#isScheduled || this.#wire === undefined) return;
    this.#isScheduled = true;
    this.#clock.soon(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (this.#wire !== undefined && this.#unsentBytes < batchBytesTarget) {
      const sent: (() => void)[] = [];
      const batch = this.#takeBatch(sent);
      if (batch.length === 0) return;
      let bytes = 0;
      for (const part of batch) bytes += part.length;
      this.#unsentBytes += bytes;
      this.#wire.write(batch, () => {
        this.#unsentBytes -= bytes;
        for (const tell of sent) tell();
        this.#flush();
      });
    }
  }

  /** Up to the target size; a single larger frame leaves alone. Adds who wants to know when it has left. */
  #takeBatch(sent: (() => void)[]): readonly Uint8Array[] {
    const parts: Uint8Array[] = this.#own;
    this.#own = [];
    if (this.#creditors.size > 0) parts.push(this.#takeCredit());
    let bytes = 0;
    while (bytes < batchBytesTarget) {
      const frame = this.#takeFrame();
      if (frame === undefined) break;
      bytes += frame.head.length + frame.payloadBytes;
      parts.push(frame.head, ...frame.payload);
      if (frame.sent !== undefined) sent.push(frame.sent);
    }
    return joinSmall(parts);
  }

  #takeCredit(): Buffer {
    const grants: CreditGrant[] = [];
    for (const stream of this.#creditors) {
      grants.push({ streamId: stream.id, bytes: stream.takeOwed() });
    }
    this.#creditors.clear();
    return encodeCredit(grants);
  }

  /** One frame of the stream whose turn it is; the stream then queues up again behind the others. */
  #takeFrame(): OutgoingFrame | undefined {
    for (const stream of this.#turns) {
      this.#turns.delete(stream);
      const before = stream.queuedBytes;
      const frame = stream.takeFrame();
      this.#queuedBytes -= before - stream.queuedBytes;
      if (stream.isReady) this.#turns.add(stream);
      stream.maybeDrain();
      if (frame !== undefined) return frame;
    }
    return undefined;
  }
}

/** Runs of small parts as one part each: copying them is cheaper than a piece of a write for each. */
function joinSmall(parts: readonly Uint8Array[]): readonly Uint8Array[] {
  if (parts.length < 2) return parts.length === 0 ? noParts : parts;
  const joined: Uint8Array[] = [];
  let run: Uint8Array[] = [];
  const endRun = (): void => {
    if (run.length === 1) joined.push(...run);
    else if (run.length > 1) joined.push(Buffer.concat(run));
    run = [];
  };
  for (const part of parts) {
    if (part.length < smallBytes) {
      run.push(part);
      continue;
    }
    endRun();
    joined.push(part);
  }
  endRun();
  return joined;
}
