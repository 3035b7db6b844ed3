/**
 * One node's end of all its links, over any network of wires.
 *
 * There is one link for each direction of dialling: streams that a node opens travel on the link that
 * it dialled, so two nodes that dial each other at the same moment need no tie-break, and neither
 * ever waits for the other's attempt. Streams to the own node take the loop inside the process.
 *
 * A link is dialled when a stream is opened and there is none. The first attempt after a link that
 * held is immediate, so that a dead process is found refused at once; attempts after failures are
 * spaced by a growing wait, during which opened streams simply wait. Whoever re-opens its stream
 * whenever it closes therefore needs no pacing of its own for peers that cannot be reached.
 */
import { invariant } from '../model/invariant.ts';
import type { Clock } from '../ports/clock.ts';
import type {
  LinkAcceptor,
  LinkCloseReason,
  LinkEndpoint,
  LinkStream,
  LinkStreamHandlers,
  LinkStreamKind,
  LinkWatcher,
  PeerAddress,
  PeerIdentity,
} from '../ports/link.ts';
import type { Logger } from '../ports/logger.ts';
import type { Random } from '../ports/random.ts';
import { createDialPacing, type DialPacing } from './dial-pacing.ts';
import { LinkLog } from './link-log.ts';
import { LinkPresence } from './link-presence.ts';
import { LinkSession } from './link-session.ts';
import { createLoopNetwork } from './loop-network.ts';
import { defaultLinkTimings, type LinkTimings } from './timings.ts';
import type { Wire, WireHandlers, WireListener, WireNetwork } from './wire.ts';

export interface LinkEndpointOptions {
  /** Constant for the life of the endpoint: a node that joins a cluster makes another one. */
  readonly identity: PeerIdentity;
  readonly network: WireNetwork;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly timings?: Partial<LinkTimings>;
}

export function createLinkEndpoint(options: LinkEndpointOptions): LinkEndpoint {
  return new Endpoint(options);
}

class Endpoint implements LinkEndpoint {
  readonly #options: LinkEndpointOptions;
  readonly #timings: LinkTimings;
  readonly #pacing: DialPacing;
  readonly #presence: LinkPresence;
  readonly #log: LinkLog;
  readonly #loop: WireNetwork;
  readonly #acceptors = new Map<LinkStreamKind, LinkAcceptor>();
  /** Links that this side dialled or is about to, by node and address. */
  readonly #dialled = new Map<string, LinkSession>();
  readonly #sessions = new Set<LinkSession>();
  readonly #listeners: WireListener[] = [];
  #isClosed = false;

  constructor(options: LinkEndpointOptions) {
    this.#options = options;
    this.#timings = { ...defaultLinkTimings, ...options.timings };
    this.#pacing = createDialPacing(this.#timings, options.random);
    this.#presence = new LinkPresence(options.clock, options.identity.nodeId);
    this.#log = new LinkLog(options.clock, options.logger);
    this.#loop = createLoopNetwork(options.clock, (wire) => this.#accept(wire));
  }

  async listen(host: string, port: number): Promise<number> {
    invariant(!this.#isClosed, 'a closed endpoint does not listen');
    const listener = await this.#options.network.listen(host, port, (wire) => this.#accept(wire));
    this.#listeners.push(listener);
    return listener.port;
  }

  accept(kind: LinkStreamKind, acceptor: LinkAcceptor): void {
    invariant(!this.#acceptors.has(kind), `streams of kind ${kind} have one acceptor`);
    this.#acceptors.set(kind, acceptor);
  }

  watch(watcher: LinkWatcher): void {
    this.#presence.watch(watcher);
  }

  open(to: PeerAddress, kind: LinkStreamKind, handlers: LinkStreamHandlers): LinkStream {
    if (this.#isClosed) return this.#openFailed(handlers, 'local');
    const session = this.#sessionTo(to);
    if (session.hasRoom) return session.open(kind, handlers);
    this.#options.logger.warn('link-streams-exhausted', 'A link carries no further stream.', {
      peer: to.nodeId,
      kind,
    });
    return this.#openFailed(handlers, 'local');
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const session of [...this.#sessions]) session.fail('local', 'the endpoint was closed');
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    // Every stream has been told by then.
    await new Promise<void>((resolve) => this.#options.clock.soon(resolve));
  }

  #openFailed(handlers: LinkStreamHandlers, reason: LinkCloseReason): LinkStream {
    this.#options.clock.soon(() => handlers.onClose(reason));
    return { send: () => false, consumed() {}, close() {} };
  }

  #sessionTo(to: PeerAddress): LinkSession {
    const key = `${to.nodeId}@${to.host}:${to.port}`;
    const present = this.#dialled.get(key);
    if (present !== undefined) return present;
    const session = this.#newSession(to, (down) => {
      this.#dialled.delete(key);
      this.#pacing.ended(key, { upMs: down.upMs, now: this.#options.clock.now() });
    });
    this.#dialled.set(key, session);
    const dial = (): void => {
      if (session.isDown) return;
      const network =
        to.nodeId === this.#options.identity.nodeId ? this.#loop : this.#options.network;
      session.dialling(network.dial(to, session));
    };
    const waitMs = this.#pacing.waitMs(key, this.#options.clock.now());
    if (waitMs === 0) dial();
    else this.#options.clock.after(waitMs, dial);
    return session;
  }

  #accept(wire: Wire): WireHandlers {
    const session = this.#newSession(undefined, () => {});
    session.accepted(wire);
    if (this.#isClosed) session.fail('local', 'the endpoint was closed');
    return session;
  }

  #newSession(
    dialled: PeerAddress | undefined,
    ended: (session: LinkSession) => void,
  ): LinkSession {
    const { clock, identity } = this.#options;
    const session = new LinkSession({
      clock,
      own: identity,
      timings: this.#timings,
      dialled,
      acceptorOf: (kind) => this.#acceptors.get(kind),
      onUp: (up, peer) => {
        this.#log.up(peer, up.remote);
        this.#presence.up(peer);
      },
      onDown: (down, reason, detail) => {
        this.#sessions.delete(down);
        ended(down);
        const { peer, remote } = down;
        this.#log.down({ to: dialled, peer, remote, reason, detail });
        if (peer !== undefined) this.#presence.down(peer, reason);
      },
    });
    this.#sessions.add(session);
    return session;
  }
}
