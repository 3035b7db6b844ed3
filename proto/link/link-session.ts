/**
 * One link from its first byte to its end: hello, heartbeats, silence, and the frames in between.
 *
 * Invariants: (1) nothing but a hello is read or sent before the peer is known and fits; (2) every
 * wait has a limit, so a session always comes to an end or is heard from; (3) `onDown` is called once.
 */
import { invariant } from '../model/invariant.ts';
import { limits } from '../model/limits.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type {
  LinkAcceptor,
  LinkCloseReason,
  LinkStream,
  LinkStreamHandlers,
  LinkStreamKind,
  PeerAddress,
  PeerIdentity,
} from '../ports/link.ts';
import { frameType, heartbeatFrame } from './frame.ts';
import { FrameDecoder, type FrameFault } from './frame-decoder.ts';
import { encodeHello, findMismatch, type Hello, readHello } from './hello.ts';
import { Outbox } from './outbox.ts';
import { StreamTable } from './stream-table.ts';
import type { LinkTimings } from './timings.ts';
import type { Wire, WireCloseReason, WireHandlers } from './wire.ts';

export interface LinkSessionOptions {
  readonly clock: Clock;
  readonly own: PeerIdentity;
  readonly timings: LinkTimings;
  /** The node that this side dials, or undefined on an accepted wire. */
  readonly dialled: PeerAddress | undefined;
  acceptorOf(kind: LinkStreamKind): LinkAcceptor | undefined;
  onUp(session: LinkSession, peer: PeerIdentity): void;
  /** `detail` is for the log: what was seen. */
  onDown(session: LinkSession, reason: LinkCloseReason, detail: string): void;
}

export class LinkSession implements WireHandlers {
  readonly #options: LinkSessionOptions;
  readonly #outbox: Outbox;
  readonly #streams: StreamTable;
  readonly #decoder: FrameDecoder;
  #phase: 'waiting' | 'dialling' | 'greeting' | 'up' | 'down' = 'waiting';
  #wire: Wire | undefined;
  /** The limit of the present phase; once up, the heartbeat. */
  #timer: Timer | undefined;
  /** What came of a hello that is not complete. */
  #greeting: Buffer = Buffer.alloc(0);
  #heardAt = 0;
  #tickedAt = 0;
  #upSince = 0;
  #peer: PeerIdentity | undefined;

  constructor(options: LinkSessionOptions) {
    this.#options = options;
    const { clock, own } = options;
    this.#outbox = new Outbox(clock, () => this.fail('local', 'more is queued than may wait'));
    this.#streams = new StreamTable({
      clock,
      outbox: this.#outbox,
      isDialler: options.dialled !== undefined,
      own,
      acceptorOf: (kind) => options.acceptorOf(kind),
    });
    this.#decoder = new FrameDecoder({
      onFrame: (type, streamId, header, payload) => {
        if (type === frameType.heartbeat) return;
        const fault = this.#streams.receive(type, streamId, header, payload);
        if (fault !== undefined) this.fail('protocol', fault);
      },
    });
  }

  get isDown(): boolean {
    return this.#phase === 'down';
  }

  /** The peer, once its hello was taken. */
  get peer(): PeerIdentity | undefined {
    return this.#peer;
  }

  /** The other end of the wire, for logs. */
  get remote(): string {
    return this.#wire?.remote ?? '';
  }

  /** For how long the link was or has been up. */
  get upMs(): number {
    return this.#peer === undefined ? 0 : this.#options.clock.now() - this.#upSince;
  }

  /** True if `open` may be called. */
  get hasRoom(): boolean {
    return this.#streams.hasRoom;
  }

  open(kind: LinkStreamKind, handlers: LinkStreamHandlers): LinkStream {
    return this.#streams.open(kind, handlers);
  }

  /** The wire is being dialled. */
  dialling(wire: Wire): void {
    this.#wire = wire;
    this.#phase = 'dialling';
    this.#limit(this.#options.timings.dialMs, () => this.fail('unreachable', 'no connection'));
  }

  /** The wire was accepted: the peer is to say hello. */
  accepted(wire: Wire): void {
    this.#wire = wire;
    this.#awaitHello();
  }

  onOpen(): void {
    this.#awaitHello();
    invariant(this.#options.dialled !== undefined, 'only a dialled wire opens');
    this.#sendHello(this.#options.dialled.nodeId);
  }

  onBytes(chunk: Buffer): void {
    if (this.#phase === 'greeting') this.#greet(chunk);
    else if (this.#phase === 'up') this.#heard(this.#decoder.push(chunk));
  }

  space(): Buffer | undefined {
    return this.#phase === 'up' ? this.#decoder.space() : undefined;
  }

  onFilled(count: number): void {
    if (this.#phase !== 'up') return;
    this.#heard(this.#decoder.filled(count));
  }

  onClose(reason: WireCloseReason, detail = 'the connection ended'): void {
    this.fail(reason, detail);
  }

  /** Ends the link. Harmless when it has ended. */
  fail(reason: LinkCloseReason, detail: string): void {
    if (this.#phase === 'down') return;
    this.#phase = 'down';
    this.#timer?.cancel();
    this.#decoder.stop();
    this.#outbox.stop();
    this.#streams.end(reason);
    // After a mismatch the peer is still to read this side's hello.
    if (reason === 'mismatch' || reason === 'local') this.#wire?.end();
    else this.#wire?.destroy();
    this.#options.onDown(this, reason, detail);
  }

  #awaitHello(): void {
    this.#phase = 'greeting';
    const reason = this.#options.dialled === undefined ? 'protocol' : 'unreachable';
    this.#limit(this.#options.timings.helloMs, () => this.fail(reason, 'no hello in time'));
  }

  #sendHello(meantFor: Hello['meantFor']): void {
    const { own } = this.#options;
    const hello = { identity: own, meantFor, streamCreditBytes: limits.linkStreamCreditBytes };
    this.#wire?.write([encodeHello(hello)], () => {});
  }

  #greet(chunk: Buffer): void {
    this.#greeting = Buffer.concat([this.#greeting, chunk]);
    const reading = readHello(this.#greeting);
    switch (reading.kind) {
      case 'incomplete':
        return;
      case 'not-a-link':
        this.fail('protocol', `not a link: ${printable(this.#greeting)}`);
        return;
      case 'malformed':
        this.fail('protocol', 'a malformed hello');
        return;
      case 'other-version':
        // The preface never changes: the peer reads this side's version and gives up as well.
        if (this.#options.dialled === undefined) this.#sendHello(this.#options.own.nodeId);
        this.fail('mismatch', `wire version ${reading.version}`);
        return;
      case 'hello':
        this.#meet(reading.hello, this.#greeting.subarray(reading.used));
    }
  }

  #meet(hello: Hello, rest: Buffer): void {
    const { own, dialled } = this.#options;
    const peer = hello.identity;
    if (dialled === undefined) this.#sendHello(peer.nodeId);
    const mismatch = findMismatch(own, hello, dialled?.nodeId);
    if (mismatch !== undefined) {
      this.fail('mismatch', `${mismatch}: ${describe(hello)}`);
      return;
    }
    this.#greeting = Buffer.alloc(0);
    this.#peer = peer;
    this.#phase = 'up';
    this.#upSince = this.#heardAt = this.#tickedAt = this.#options.clock.now();
    this.#timer?.cancel();
    this.#beat();
    this.#options.onUp(this, peer);
    this.#streams.start(peer, hello.streamCreditBytes);
    if (this.#wire !== undefined) this.#outbox.start(this.#wire);
    if (rest.length > 0) this.#heard(this.#decoder.push(rest));
  }

  #heard(fault: FrameFault | undefined): void {
    this.#heardAt = this.#options.clock.now();
    if (fault !== undefined) this.fail('protocol', `a bad frame: ${fault}`);
  }

  #beat(): void {
    const { clock, timings } = this.#options;
    this.#timer = clock.after(timings.heartbeatMs, () => {
      const now = clock.now();
      // This process itself stood still: what the peer sent meanwhile is not read yet.
      if (now - this.#tickedAt > 2 * timings.heartbeatMs) this.#heardAt = now;
      this.#tickedAt = now;
      if (now - this.#heardAt >= timings.silentMs) {
        this.fail('silent', `nothing was heard for ${Math.round(now - this.#heardAt)} ms`);
        return;
      }
      this.#outbox.sendOwn(heartbeatFrame);
      this.#beat();
    });
  }

  #limit(ms: number, whenOver: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.after(ms, whenOver);
  }
}

function describe(hello: Hello): string {
  const { identity } = hello;
  const features = `${identity.featureMin}..${identity.featureMax}`;
  return `node ${identity.nodeId} of cluster ${identity.clusterId} means node ${hello.meantFor}, features ${features}`;
}

/** The first bytes as ASCII, everything else as dots. */
function printable(bytes: Buffer): string {
  return bytes.toString('latin1', 0, 24).replaceAll(/[^ -~]/g, '.');
}
