/**
 * Quorum messages over the peer link: one stream to every voter, opened again whenever it closes.
 * Answers to a member whose address is not known (a leader that this node has no configuration of)
 * go back on the stream that it opened.
 *
 * Messages may be lost: the core repeats what matters. What is not sent because a peer takes nothing
 * is dropped, and the core is told that the stream began anew.
 */
import { limits } from '../../proto/model/limits.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import type {
  LinkCloseReason,
  LinkEndpoint,
  LinkStream,
  LinkStreamHandlers,
  PeerIdentity,
} from '../../proto/ports/link.ts';
import type { Envelope } from './core/messages.ts';
import { type Voter, type VoterId, voterId } from './core/voter.ts';
import { decodeMessage, encodeMessage } from './message-codec.ts';

export interface QuorumTransportHandlers {
  /** `done` gives the sender its credit back; call it when the message was dealt with. */
  onMessage(message: Envelope, done: () => void): void;
  onPeerLost(peer: VoterId): void;
  /** Nobody listens at the peer's address. */
  onPeerGone(peer: Voter): void;
}

export interface QuorumTransport {
  start(handlers: QuorumTransportHandlers): void;
  /** Keeps streams to these, and to nobody else. */
  reach(voters: readonly Voter[]): void;
  send(message: Envelope): void;
  close(): void;
}

/** Messages that may wait for a stream to open: an election's worth, not a log's. */
const waitingMessagesMax = 16;
/** Before a stream is opened again that a living peer refused. */
const reopenMs = 100;

export function createLinkTransport(options: {
  readonly endpoint: LinkEndpoint;
  readonly clock: Clock;
  readonly self: VoterId;
}): QuorumTransport {
  return new LinkTransport(options);
}

/** One stream to a voter, and what is known of its state. */
interface Outgoing {
  readonly voter: Voter;
  stream: LinkStream | undefined;
  isOpen: boolean;
  /** The credit is used up: what is sent meanwhile is dropped. */
  isBlocked: boolean;
  waiting: number;
}

class LinkTransport implements QuorumTransport {
  readonly #endpoint: LinkEndpoint;
  readonly #clock: Clock;
  readonly #self: VoterId;
  readonly #outgoing = new Map<VoterId, Outgoing>();
  readonly #incoming = new Map<VoterId, LinkStream>();
  #handlers: QuorumTransportHandlers | undefined;
  #isClosed = false;

  constructor(options: { endpoint: LinkEndpoint; clock: Clock; self: VoterId }) {
    this.#endpoint = options.endpoint;
    this.#clock = options.clock;
    this.#self = options.self;
  }

  start(handlers: QuorumTransportHandlers): void {
    this.#handlers = handlers;
    this.#endpoint.accept('raft', (stream, peer) => this.#accepted(stream, peer));
  }

  reach(voters: readonly Voter[]): void {
    if (this.#isClosed) return;
    for (const voter of voters) {
      if (voter.id === this.#self) continue;
      const present = this.#outgoing.get(voter.id);
      if (present?.voter.host === voter.host && present.voter.port === voter.port) continue;
      // It moved: the stream to its old address is of no use.
      this.#outgoing.delete(voter.id);
      present?.stream?.close();
      this.#open({ voter, stream: undefined, isOpen: false, isBlocked: false, waiting: 0 });
    }
    for (const [id, { stream }] of this.#outgoing) {
      if (voters.some((voter) => voter.id === id)) continue;
      this.#outgoing.delete(id);
      stream?.close();
    }
  }

  send(message: Envelope): void {
    const outgoing = this.#outgoing.get(message.to);
    const { header, payload } = encodeMessage(message);
    if (outgoing === undefined) {
      this.#incoming.get(message.to)?.send(header, payload);
      return;
    }
    if (outgoing.stream === undefined || outgoing.isBlocked) return;
    if (!outgoing.isOpen && ++outgoing.waiting > waitingMessagesMax) return;
    outgoing.isBlocked = !outgoing.stream.send(header, payload);
  }

  close(): void {
    this.#isClosed = true;
    for (const { stream } of this.#outgoing.values()) stream?.close();
    for (const stream of this.#incoming.values()) stream.close();
    this.#outgoing.clear();
    this.#incoming.clear();
  }

  #open(outgoing: Outgoing): void {
    if (this.#isClosed) return;
    const { voter } = outgoing;
    this.#outgoing.set(voter.id, outgoing);
    outgoing.isOpen = false;
    outgoing.isBlocked = false;
    outgoing.waiting = 0;
    const { nodeId, host, port } = voter;
    const isCurrent = () => this.#outgoing.get(voter.id) === outgoing && !this.#isClosed;
    const stream = this.#endpoint.open({ nodeId, host, port }, 'raft', {
      ...this.#reading(() => stream, voter.id),
      onOpen: () => {
        outgoing.isOpen = true;
        if (outgoing.waiting > waitingMessagesMax) this.#handlers?.onPeerLost(voter.id);
      },
      onDrain: () => {
        if (!outgoing.isBlocked) return;
        outgoing.isBlocked = false;
        this.#handlers?.onPeerLost(voter.id);
      },
      onClose: (reason) => {
        outgoing.stream = undefined;
        if (isCurrent()) this.#closed(outgoing, reason, isCurrent);
      },
    });
    outgoing.stream = stream;
  }

  #closed(outgoing: Outgoing, reason: LinkCloseReason, isCurrent: () => boolean): void {
    if (outgoing.isOpen) this.#handlers?.onPeerLost(outgoing.voter.id);
    if (reason === 'refused') this.#handlers?.onPeerGone(outgoing.voter);
    // The link paces dials; a peer that is there and closes streams is paced here.
    const isPaced = reason === 'refused' || reason === 'unreachable' || outgoing.isOpen;
    this.#clock.after(isPaced ? 0 : reopenMs, () => {
      if (isCurrent()) this.#open(outgoing);
    });
  }

  #accepted(stream: LinkStream, peer: PeerIdentity): LinkStreamHandlers {
    const id = voterId(peer.nodeId, peer.storageId);
    this.#incoming.set(id, stream);
    return {
      ...this.#reading(() => stream, id),
      onClose: () => {
        if (this.#incoming.get(id) === stream) this.#incoming.delete(id);
      },
    };
  }

  /** A stream carries messages of its peer alone; anything else ends it. */
  #reading(streamOf: () => LinkStream, peer: VoterId): Pick<LinkStreamHandlers, 'onFrame'> {
    return {
      onFrame: (header, payload) => {
        const stream = streamOf();
        const message = decoded(header, payload);
        if (message?.from !== peer) {
          stream.close();
          return;
        }
        this.#handlers?.onMessage(message, () => stream.consumed(payload.length));
      },
    };
  }
}

function decoded(header: Buffer, payload: Buffer): Envelope | undefined {
  if (header.length > limits.linkHeaderBytesMax) return undefined;
  try {
    return decodeMessage(header, payload);
  } catch {
    // Malformed bytes of a peer: the stream is closed, and nothing else changes (rule B4.16).
    return undefined;
  }
}
