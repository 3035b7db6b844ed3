/**
 * The logical streams of one link: opens them, hands them their frames and ends them.
 *
 * Invariants: (1) ids only grow, so a frame for an id that was and is gone is a late one and is
 * dropped, and a frame for an id that never was is a breach; (2) at most `linkStreamsMax` are open.
 */
import { HighwaterError } from '../model/errors.ts';
import { limits } from '../model/limits.ts';
import type { Clock } from '../ports/clock.ts';
import type {
  LinkAcceptor,
  LinkCloseReason,
  LinkStream,
  LinkStreamHandlers,
  LinkStreamKind,
  PeerIdentity,
} from '../ports/link.ts';
import { encodeOpen, frameType, readClose, readCredit, readOpen } from './frame.ts';
import { noCluster } from './hello.ts';
import { LinkStreamEnd, type StreamCarrier } from './link-stream.ts';
import type { Outbox } from './outbox.ts';

/** How the peer broke the rules of the link, for the log. */
export type StreamFault = string;

export interface StreamTableOptions {
  readonly clock: Clock;
  readonly outbox: Outbox;
  readonly isDialler: boolean;
  readonly own: PeerIdentity;
  acceptorOf(kind: LinkStreamKind): LinkAcceptor | undefined;
}

const streamIdMax = 0xffffffff;

export class StreamTable implements StreamCarrier {
  readonly #options: StreamTableOptions;
  readonly #outbox: Outbox;
  readonly #streams = new Map<number, LinkStreamEnd>();
  #lastId = 0;
  /** Set once the link is up. */
  #peer: PeerIdentity | undefined;
  #credit: number = limits.linkStreamCreditBytes;

  constructor(options: StreamTableOptions) {
    this.#options = options;
    this.#outbox = options.outbox;
  }

  /** True if another stream may be opened from this side. */
  get hasRoom(): boolean {
    return this.#streams.size < limits.linkStreamsMax && this.#lastId < streamIdMax;
  }

  /** Opens a stream from the side that dialled. */
  open(kind: LinkStreamKind, handlers: LinkStreamHandlers): LinkStream {
    this.#lastId += 1;
    const stream = new LinkStreamEnd(this.#lastId, kind, this, this.#credit);
    stream.handle(handlers);
    this.#streams.set(stream.id, stream);
    this.#outbox.sendOwn(encodeOpen(stream.id, kind));
    const peer = this.#peer;
    if (peer !== undefined) this.#options.clock.soon(() => stream.tellOpen(peer, this.#credit));
    return stream;
  }

  /** The link is up. */
  start(peer: PeerIdentity, credit: number): void {
    this.#peer = peer;
    this.#credit = credit;
    for (const stream of [...this.#streams.values()]) {
      stream.tellOpen(peer, credit);
      this.#outbox.wake(stream);
    }
  }

  /** The link is down: nothing of any stream leaves or arrives any more, and the users are told. */
  end(reason: LinkCloseReason): void {
    for (const stream of this.#streams.values()) {
      stream.cutOff();
      this.#tellSoon(stream, reason);
    }
    this.#streams.clear();
  }

  /** One frame from the peer, heartbeats excepted. */
  receive(
    type: number,
    streamId: number,
    header: Buffer,
    payload: Buffer,
  ): StreamFault | undefined {
    switch (type) {
      case frameType.data:
        return this.#receiveData(streamId, header, payload);
      case frameType.credit:
        return this.#receiveCredit(header);
      case frameType.open:
        return this.#receiveOpen(streamId, header);
      case frameType.close:
        return this.#receiveClose(streamId, header);
      default:
        return `a frame of type ${type}`;
    }
  }

  frameQueued(stream: LinkStreamEnd, bytes: number): void {
    this.#outbox.frameQueued(stream, bytes);
  }

  creditDue(stream: LinkStreamEnd): void {
    this.#outbox.creditDue(stream);
  }

  closedHere(stream: LinkStreamEnd, reason: LinkCloseReason): void {
    this.#streams.delete(stream.id);
    this.#outbox.dropCredit(stream);
    this.#tellSoon(stream, reason);
  }

  #receiveData(streamId: number, header: Buffer, payload: Buffer): StreamFault | undefined {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return this.#late(streamId);
    try {
      return stream.receive(header, payload) ? undefined : 'more bytes than there was credit for';
    } catch (caught) {
      // What the user of the stream cannot read is the peer's fault, and costs it the link.
      if (caught instanceof HighwaterError) return `a bad message: ${caught.message}`;
      throw caught;
    }
  }

  #receiveCredit(header: Buffer): StreamFault | undefined {
    const grants = readCredit(header);
    if (grants === undefined) return 'a malformed credit frame';
    for (const grant of grants) {
      const stream = this.#streams.get(grant.streamId);
      if (stream === undefined) {
        const fault = this.#late(grant.streamId);
        if (fault !== undefined) return fault;
        continue;
      }
      if (!stream.receiveCredit(grant.bytes)) return 'more credit than there can be';
      this.#outbox.wake(stream);
      stream.maybeDrain();
    }
    return undefined;
  }

  #receiveOpen(streamId: number, header: Buffer): StreamFault | undefined {
    const kind = readOpen(header);
    if (this.#options.isDialler) return 'a stream opened by the side that was dialled';
    if (kind === undefined) return 'a stream of an unknown kind';
    if (streamId !== this.#lastId + 1) return `stream ${streamId} after stream ${this.#lastId}`;
    if (!this.hasRoom) return 'too many streams';
    this.#lastId = streamId;
    const peer = this.#peer;
    if (peer === undefined) return 'a stream before the hello';
    const stream = new LinkStreamEnd(streamId, kind, this, this.#credit);
    this.#streams.set(streamId, stream);
    const acceptor = this.#options.acceptorOf(kind);
    if (acceptor === undefined) stream.closeWith('refused', 'local');
    else if (!this.#isAllowed(kind, peer)) stream.closeWith('mismatch', 'local');
    else stream.handle(acceptor(stream, peer));
    return undefined;
  }

  /** A node without a cluster may ask to join one and nothing else. */
  #isAllowed(kind: LinkStreamKind, peer: PeerIdentity): boolean {
    if (kind === 'control') return true;
    return peer.clusterId === this.#options.own.clusterId && peer.clusterId !== noCluster;
  }

  #receiveClose(streamId: number, header: Buffer): StreamFault | undefined {
    const reason = readClose(header);
    if (reason === undefined) return 'a malformed close frame';
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return this.#late(streamId);
    this.#streams.delete(streamId);
    this.#outbox.forget(stream);
    stream.cutOff();
    this.#tellSoon(stream, reason);
    return undefined;
  }

  #late(streamId: number): StreamFault | undefined {
    return streamId >= 1 && streamId <= this.#lastId ? undefined : `no stream ${streamId}`;
  }

  /** Later in the turn: the user may be in the middle of a call to this very stream. */
  #tellSoon(stream: LinkStreamEnd, reason: LinkCloseReason): void {
    this.#options.clock.soon(() => stream.tellClosed(reason));
  }
}
