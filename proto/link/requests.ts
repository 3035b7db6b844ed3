/**
 * Calls with an answer, and one-way notices, over one stream of a link. Both ends may call; calls and
 * notices arrive in the order they were made, answers in the order they are ready.
 *
 * Invariants: (1) every call ends: with the answer, the error that the other side threw, its deadline,
 * or CONNECTION_LOST when the stream closes; (2) at most `linkRequestsMax` calls wait on each side,
 * more are OVERLOADED; (3) a call that never left fails with the outcome `not-written`.
 */
import { HighwaterError } from '../model/errors.ts';
import { InvariantViolation, invariant } from '../model/invariant.ts';
import { limits } from '../model/limits.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type {
  LinkCloseReason,
  LinkEndpoint,
  LinkStream,
  LinkStreamHandlers,
  LinkStreamKind,
  PeerAddress,
  PeerIdentity,
} from '../ports/link.ts';
import type { Logger } from '../ports/logger.ts';
import {
  decodeEnvelope,
  decodeError,
  type Envelope,
  encodeEnvelope,
  encodeError,
  envelopeKind,
} from './request-envelope.ts';

/** A message with its optional bulk, as it arrives. Both are private and may be kept. */
export interface LinkMessage {
  readonly header: Buffer;
  readonly payload: Buffer;
}

/** A message to send; the parts of the payload are not copied. */
export interface LinkMessageOut {
  readonly header: Uint8Array;
  readonly payload?: readonly Uint8Array[];
}

export interface LinkCall extends LinkMessage {
  readonly peer: PeerIdentity;
  /** Milliseconds that the caller waits from now on. */
  readonly deadlineMs: number;
}

/** Answers a call. What it throws as a HighwaterError is thrown at the caller; anything else is INTERNAL there. */
export type LinkCallHandler = (call: LinkCall) => Promise<LinkMessageOut>;
/** Takes a notice; the payload's credit goes back when it returns. */
export type LinkNoticeHandler = (notice: LinkMessage, peer: PeerIdentity) => void;

/** What one end of the stream does for the other, by method number (0 to 65535). */
export interface LinkService {
  readonly calls?: ReadonlyMap<number, LinkCallHandler>;
  readonly notices?: ReadonlyMap<number, LinkNoticeHandler>;
  /** The link is up. Only on the side that opened the stream. */
  onOpen?(peer: PeerIdentity): void;
  onClose?(reason: LinkCloseReason): void;
}

export interface LinkRequests {
  call(method: number, message: LinkMessageOut, deadlineMs: number): Promise<LinkMessage>;
  /** False: wait before sending more bulk; the notice itself is accepted. */
  notify(method: number, message: LinkMessageOut): boolean;
  /** Fails what waits with CONNECTION_LOST. */
  close(): void;
}

export interface LinkRequestsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Opens a stream for requests to a peer. */
export function openRequests(
  endpoint: LinkEndpoint,
  target: { readonly to: PeerAddress; readonly kind: LinkStreamKind },
  service: LinkService,
  options: LinkRequestsOptions,
): LinkRequests {
  const requests = new Requests(service, options);
  requests.stream = endpoint.open(target.to, target.kind, requests);
  return requests;
}

/** Serves all streams of a kind; `serve` is called for each, and may keep `requests` to call back. */
export function acceptRequests(
  endpoint: LinkEndpoint,
  kind: LinkStreamKind,
  serve: (requests: LinkRequests, peer: PeerIdentity) => LinkService,
  options: LinkRequestsOptions,
): void {
  endpoint.accept(kind, (stream, peer) => {
    const requests = new Requests(undefined, options);
    requests.stream = stream;
    requests.peer = peer;
    requests.service = serve(requests, peer);
    return requests;
  });
}

interface Waiting {
  readonly timer: Timer;
  resolve(answer: LinkMessage): void;
  reject(error: HighwaterError): void;
}

const callIdMax = 0xffffffff;

class Requests implements LinkRequests, LinkStreamHandlers {
  readonly #options: LinkRequestsOptions;
  readonly #waiting = new Map<number, Waiting>();
  #lastCallId = 0;
  /** Calls of the other side that are being answered. */
  #answering = 0;
  #isBlocked = false;
  #closed: LinkCloseReason | undefined;
  stream: LinkStream | undefined;
  service: LinkService;
  /** Known once the link is up. */
  peer: PeerIdentity | undefined;

  constructor(service: LinkService | undefined, options: LinkRequestsOptions) {
    this.service = service ?? {};
    this.#options = options;
  }

  call(method: number, message: LinkMessageOut, deadlineMs: number): Promise<LinkMessage> {
    if (this.#closed !== undefined) return Promise.reject(lost(this.#closed, false));
    const hasBulk = message.payload !== undefined && message.payload.length > 0;
    if (this.#waiting.size >= limits.linkRequestsMax || (hasBulk && this.#isBlocked)) {
      const error = new HighwaterError('OVERLOADED', 'too much waits for this peer');
      return Promise.reject(error);
    }
    this.#lastCallId = this.#lastCallId === callIdMax ? 1 : this.#lastCallId + 1;
    const callId = this.#lastCallId;
    const ms = Math.max(0, Math.min(Math.ceil(deadlineMs), callIdMax));
    return new Promise((resolve, reject) => {
      const timer = this.#options.clock.after(ms, () => {
        this.#waiting.delete(callId);
        reject(new HighwaterError('DEADLINE_EXCEEDED', `no answer within ${ms} ms`));
      });
      this.#waiting.set(callId, { timer, resolve, reject });
      this.#send({ kind: envelopeKind.call, method, callId, deadlineMs: ms }, message);
    });
  }

  notify(method: number, message: LinkMessageOut): boolean {
    return this.#send({ kind: envelopeKind.notice, method, callId: 0, deadlineMs: 0 }, message);
  }

  close(): void {
    this.stream?.close();
  }

  onOpen(peer: PeerIdentity): void {
    this.peer = peer;
    this.service.onOpen?.(peer);
  }

  onDrain(): void {
    this.#isBlocked = false;
  }

  onClose(reason: LinkCloseReason): void {
    this.#closed = reason;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const call of waiting) {
      call.timer.cancel();
      call.reject(lost(reason, this.peer !== undefined));
    }
    this.service.onClose?.(reason);
  }

  onFrame(header: Buffer, payload: Buffer): void {
    const envelope = decodeEnvelope(header);
    const message: LinkMessage = { header: envelope.message, payload };
    if (envelope.kind === envelopeKind.call) this.#answer(envelope, message);
    else if (envelope.kind === envelopeKind.notice) this.#notice(envelope.method, message);
    else this.#settle(envelope, message);
  }

  #notice(method: number, message: LinkMessage): void {
    // A notice that a newer peer sends and this one does not know is no error.
    this.service.notices?.get(method)?.(message, this.#knownPeer());
    this.stream?.consumed(message.payload.length);
  }

  #settle(envelope: Envelope, message: LinkMessage): void {
    const call = this.#waiting.get(envelope.callId);
    this.#waiting.delete(envelope.callId);
    this.stream?.consumed(message.payload.length);
    if (call === undefined) return; // It came after the deadline.
    call.timer.cancel();
    if (envelope.kind === envelopeKind.reply) call.resolve(message);
    else call.reject(decodeError(message.header));
  }

  #answer(envelope: Envelope, message: LinkMessage): void {
    const { callId, method, deadlineMs } = envelope;
    const handler = this.service.calls?.get(method);
    const refusal = this.#refusal(handler, method);
    if (handler === undefined || refusal !== undefined) {
      this.stream?.consumed(message.payload.length);
      this.#sendError(callId, refusal ?? new HighwaterError('INTERNAL', 'no handler'));
      return;
    }
    this.#answering += 1;
    const finish = (send: () => void): void => {
      this.#answering -= 1;
      this.stream?.consumed(message.payload.length);
      send();
    };
    const reply: Envelope = { kind: envelopeKind.reply, method: 0, callId, deadlineMs: 0 };
    const call: LinkCall = { ...message, peer: this.#knownPeer(), deadlineMs };
    // Inside a promise, so that what a handler throws at once is an answer too.
    new Promise<LinkMessageOut>((resolve) => resolve(handler(call))).then(
      (answer) => finish(() => this.#send(reply, answer)),
      (caught: unknown) => finish(() => this.#sendError(callId, this.#thrown(caught, method))),
    );
  }

  #refusal(handler: LinkCallHandler | undefined, method: number): HighwaterError | undefined {
    if (handler === undefined) {
      return new HighwaterError('UNSUPPORTED_VERSION', `method ${method} is not known here`);
    }
    if (this.#answering < limits.linkRequestsMax) return undefined;
    return new HighwaterError('OVERLOADED', 'too many calls are being answered');
  }

  #send(envelope: Envelope, message: LinkMessageOut): boolean {
    const header = encodeEnvelope(envelope, message.header);
    const hasRoom = this.stream?.send(header, message.payload) ?? false;
    this.#isBlocked = !hasRoom;
    return hasRoom;
  }

  #sendError(callId: number, error: HighwaterError): void {
    const envelope = { kind: envelopeKind.error, method: 0, callId, deadlineMs: 0 };
    this.#send(envelope, { header: encodeError(error) });
  }

  /** What the caller gets to see. The details of a defect stay in the log of this node. */
  #thrown(caught: unknown, method: number): HighwaterError {
    if (caught instanceof HighwaterError) return caught;
    if (caught instanceof InvariantViolation) {
      this.#options.clock.soon(() => {
        throw caught;
      });
    }
    const fields = { method, error: String(caught) };
    this.#options.logger.error('link-call-failed', 'A call failed by a defect.', fields);
    return new HighwaterError('INTERNAL', 'the call failed; the log of the node says more');
  }

  #knownPeer(): PeerIdentity {
    invariant(this.peer !== undefined, 'a frame comes after the hello');
    return this.peer;
  }
}

function lost(reason: LinkCloseReason, wasOpen: boolean): HighwaterError {
  const message = `the stream is closed: ${reason}`;
  const outcome = wasOpen ? {} : ({ outcome: 'not-written' } as const);
  return new HighwaterError('CONNECTION_LOST', message, { facts: { reason }, ...outcome });
}
