/**
 * One logical stream of a link, as one side sees it: what waits to be sent, and the credit of both
 * directions.
 *
 * Invariants: (1) a payload is sent only while the peer's credit is above zero, so a receiver holds
 * at most its credit and one frame; (2) frames leave in the order of `send`; (3) `onClose` is called
 * once, and nothing after it.
 */
import { invariant } from '../model/invariant.ts';
import { limits } from '../model/limits.ts';
import { Queue } from '../model/queue.ts';
import type {
  LinkCloseReason,
  LinkStream,
  LinkStreamHandlers,
  LinkStreamKind,
  PeerIdentity,
} from '../ports/link.ts';
import { encodeClose, encodeFrameHead, frameType, type StreamCloseCode } from './frame.ts';

/** A frame on its way out. */
export interface OutgoingFrame {
  readonly head: Buffer;
  readonly payload: readonly Uint8Array[];
  readonly payloadBytes: number;
  /** Told when the machine has taken it. */
  readonly sent?: (() => void) | undefined;
}

/** What a stream needs of the link that carries it. */
export interface StreamCarrier {
  /** A frame of so many bytes was added to the stream's queue. */
  frameQueued(stream: LinkStreamEnd, bytes: number): void;
  /** The stream has credit to give back. */
  creditDue(stream: LinkStreamEnd): void;
  /** This side has closed the stream; its close frame is queued, its user not told. */
  closedHere(stream: LinkStreamEnd, reason: LinkCloseReason): void;
}

const noParts: readonly Uint8Array[] = [];
/** Credit goes back in portions of this share of the window: few frames, and the peer never waits. */
const creditPortion = limits.linkStreamCreditBytes / 4;

export class LinkStreamEnd implements LinkStream {
  readonly id: number;
  readonly kind: LinkStreamKind;
  readonly #carrier: StreamCarrier;
  #handlers: LinkStreamHandlers | undefined;
  /** Frames that have not left. */
  readonly #queue = new Queue<OutgoingFrame>();
  #queuedBytes = 0;
  #queuedPayloadBytes = 0;
  /** Payload bytes that the peer lets this side send. Below zero by at most one frame. */
  #credit: number;
  /** `send` returned false and `onDrain` has not been called since. */
  #isBlocked = false;
  /** Payload bytes handed to the user and not given back. */
  #unconsumed = 0;
  /** Payload bytes given back by the user and not yet granted to the peer. */
  #owed = 0;
  #isClosed = false;

  constructor(id: number, kind: LinkStreamKind, carrier: StreamCarrier, credit: number) {
    this.id = id;
    this.kind = kind;
    this.#carrier = carrier;
    this.#credit = credit;
  }

  /** Sets who is told. An accepted stream gets its handlers from the acceptor, after it was made. */
  handle(handlers: LinkStreamHandlers): void {
    this.#handlers = handlers;
  }

  send(header: Uint8Array, payload: readonly Uint8Array[] = noParts, sent?: () => void): boolean {
    if (this.#isClosed) return false;
    let payloadBytes = 0;
    for (const part of payload) payloadBytes += part.length;
    invariant(payloadBytes <= limits.linkFrameBytesMax, 'a payload fits into one frame');
    invariant(header.length <= limits.linkHeaderBytesMax, 'a header fits into one frame');
    const head = encodeFrameHead(frameType.data, this.id, header, payloadBytes);
    this.#push({ head, payload, payloadBytes, sent });
    this.#isBlocked = !this.#hasRoom();
    return !this.#isBlocked;
  }

  consumed(bytes: number): void {
    if (this.#isClosed || bytes === 0) return;
    invariant(bytes > 0 && bytes <= this.#unconsumed, 'only received bytes are given back, once');
    this.#unconsumed -= bytes;
    this.#owed += bytes;
    if (this.#owed >= creditPortion) this.#carrier.creditDue(this);
  }

  /** Frames that have credit still leave, those that wait for credit are dropped. */
  close(): void {
    this.closeWith('closed', 'local');
  }

  /** Closes from this side: the peer reads the code, the user of this end the reason. */
  closeWith(code: StreamCloseCode, reason: LinkCloseReason): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#push({ head: encodeClose(this.id, code), payload: noParts, payloadBytes: 0 });
    this.#carrier.closedHere(this, reason);
  }

  /** The link or the peer has ended the stream: nothing leaves any more. */
  cutOff(): void {
    this.#isClosed = true;
    this.#queue.clear();
    this.#queuedBytes = 0;
    this.#queuedPayloadBytes = 0;
  }

  /** Tells the user of the end. */
  tellClosed(reason: LinkCloseReason): void {
    const handlers = this.#handlers;
    this.#handlers = undefined;
    handlers?.onClose(reason);
  }

  /** The link is up: what the peer's hello said about credit holds. Nothing was sent before. */
  tellOpen(peer: PeerIdentity, credit: number): void {
    if (this.#isClosed) return;
    this.#credit = credit;
    this.#handlers?.onOpen?.(peer);
  }

  /** A frame from the peer. False if it breaks the credit that this side gave. */
  receive(header: Buffer, payload: Buffer): boolean {
    const held = this.#unconsumed + this.#owed;
    if (payload.length > 0 && held >= limits.linkStreamCreditBytes) return false;
    this.#unconsumed += payload.length;
    this.#handlers?.onFrame(header, payload);
    return true;
  }

  /** The peer allows more. False if it allows more than it could have taken. */
  receiveCredit(bytes: number): boolean {
    this.#credit += bytes;
    return this.#credit <= 0xffffffff;
  }

  /** Credit to give back now; the caller sends it. */
  takeOwed(): number {
    const owed = this.#owed;
    this.#owed = 0;
    return owed;
  }

  /** Bytes that wait here, heads included. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** True if the next frame may leave. */
  get isReady(): boolean {
    const next = this.#queue.at(0);
    return next !== undefined && (this.#mayLeave(next) || this.#isClosed);
  }

  /** The next frame that may leave, or undefined. */
  takeFrame(): OutgoingFrame | undefined {
    for (;;) {
      const frame = this.#queue.at(0);
      if (frame === undefined) return undefined;
      const mayLeave = this.#mayLeave(frame);
      if (!mayLeave && !this.#isClosed) return undefined;
      this.#shift(frame);
      if (!mayLeave) continue; // Closed on this side while out of credit: it will never leave.
      this.#credit -= frame.payloadBytes;
      return frame;
    }
  }

  /** Tells the user that there is room again, if it was told to wait. Never called from `send`. */
  maybeDrain(): void {
    if (!this.#isBlocked || this.#isClosed || !this.#hasRoom()) return;
    this.#isBlocked = false;
    this.#handlers?.onDrain?.();
  }

  #mayLeave(frame: OutgoingFrame): boolean {
    return frame.payloadBytes === 0 || this.#credit > 0;
  }

  #hasRoom(): boolean {
    return (
      this.#queuedPayloadBytes < this.#credit && this.#queuedBytes < limits.linkStreamCreditBytes
    );
  }

  #push(frame: OutgoingFrame): void {
    const bytes = frame.head.length + frame.payloadBytes;
    this.#queue.push(frame);
    this.#queuedBytes += bytes;
    this.#queuedPayloadBytes += frame.payloadBytes;
    this.#carrier.frameQueued(this, bytes);
  }

  #shift(frame: OutgoingFrame): void {
    this.#queuedBytes -= frame.head.length + frame.payloadBytes;
    this.#queuedPayloadBytes -= frame.payloadBytes;
    this.#queue.shift();
  }
}
