/**
 * The messages that one side of a call receives: one is asked for at a time, so that a side that is
 * paused leaves the rest with its peer and the peer's window fills up.
 *
 * Invariants: messages are delivered in order, none while paused; the end is reported after the last.
 */
import { HighwaterError } from '../../model/errors.ts';
import type { RpcCodec } from '../../ports/rpc.ts';
import type { CallTransport } from './transport.ts';

export interface IncomingSink<Message> {
  deliver(message: Message): void;
  /** Bytes that are no message. Nothing is delivered after it. */
  refuse(error: HighwaterError): void;
}

export class IncomingMessages<Message> {
  readonly #transport: Pick<CallTransport, 'read'>;
  readonly #codec: RpcCodec<Message>;
  readonly #sink: IncomingSink<Message>;
  #isPaused = false;
  #isReading = false;
  #isAsking = false;
  #isStopped = false;
  /** Arrived while paused; at most one, since none is asked for then. */
  #held: Buffer | undefined;
  #onEnd: (() => void) | undefined;

  constructor(
    transport: Pick<CallTransport, 'read'>,
    codec: RpcCodec<Message>,
    sink: IncomingSink<Message>,
  ) {
    this.#transport = transport;
    this.#codec = codec;
    this.#sink = sink;
  }

  /** Asks for messages. One that is there already arrives within `read`: hence a loop, no recursion. */
  next(): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    while (!this.#isReading && !this.#isPaused && !this.#isStopped && this.#onEnd === undefined) {
      this.#isReading = true;
      this.#transport.read();
    }
    this.#isAsking = false;
  }

  arrived(bytes: Buffer): void {
    this.#isReading = false;
    if (this.#isStopped) return;
    if (this.#isPaused) this.#held = bytes;
    else this.#deliver(bytes);
  }

  /** No message follows: calls back once what was held is delivered. */
  end(onEnd: () => void): void {
    this.#isReading = false;
    if (this.#isStopped) return;
    this.#onEnd = onEnd;
    if (this.#held === undefined) onEnd();
  }

  pause(): void {
    this.#isPaused = true;
  }

  /** Delivery goes on in a microtask, not from within the caller. */
  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    queueMicrotask(() => {
      this.#deliverHeld();
      this.next();
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#held = undefined;
  }

  #deliverHeld(): void {
    const held = this.#held;
    if (held === undefined || this.#isPaused || this.#isStopped) return;
    this.#held = undefined;
    this.#deliver(held);
    const onEnd = this.#onEnd;
    if (onEnd !== undefined && !this.#isStopped) onEnd();
  }

  #deliver(bytes: Buffer): void {
    let message: Message;
    try {
      message = this.#codec.decode(bytes);
    } catch (caught) {
      this.stop();
      this.#sink.refuse(malformed(caught));
      return;
    }
    this.#sink.deliver(message);
    this.next();
  }
}

/** What a codec threw, as the INVALID_REQUEST that it is (rule F11). */
export function malformed(caught: unknown): HighwaterError {
  if (caught instanceof HighwaterError) return caught;
  return new HighwaterError('INVALID_REQUEST', 'a message that cannot be decoded', {
    cause: caught,
  });
}
