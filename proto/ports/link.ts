/**
 * The peer link: ordered frames between two nodes, or a closed link. Two implementations: TCP (or
 * mutual TLS), and an in-memory twin on virtual time that can lose the link, delay it and cut one
 * direction. Nodes of another cluster never get past the hello.
 *
 * Several logical streams share a link; each has its own byte credit, so that one slow consumer does
 * not stall the others. Bulk frames of one turn leave in one write.
 */
import type { ClusterId, IncarnationId, NodeId, StorageId } from '../model/ids.ts';

/** Who a peer says it is; checked in the hello, constant for the life of the link. */
export interface PeerIdentity {
  readonly clusterId: ClusterId;
  readonly nodeId: NodeId;
  readonly storageId: StorageId;
  readonly incarnationId: IncarnationId;
  /** Feature levels that the peer speaks, both inclusive. */
  readonly featureMin: number;
  readonly featureMax: number;
}

export interface PeerAddress {
  readonly nodeId: NodeId;
  readonly host: string;
  readonly port: number;
}

/** What a logical stream carries. The receiving node has one acceptor for each kind. */
export const linkStreamKinds = ['raft', 'control', 'metadata', 'replication', 'telemetry'] as const;
export type LinkStreamKind = (typeof linkStreamKinds)[number];

/** One node's end of all its links, shared by both roles of the node. */
export interface LinkEndpoint {
  /** Starts to listen; resolves to the bound port. */
  listen(host: string, port: number): Promise<number>;
  /** Who answers the streams of a kind that peers open. One acceptor for each kind. */
  accept(kind: LinkStreamKind, acceptor: LinkAcceptor): void;
  /**
   * Opens a stream to a peer, connecting first if there is no link. Returns at once; frames sent
   * before the link is up are queued. `onClose` tells if it cannot be reached.
   */
  open(to: PeerAddress, kind: LinkStreamKind, handlers: LinkStreamHandlers): LinkStream;
  /** Tells when links come and go: a closed link is a hint of a dead peer, never the proof. */
  watch(watcher: LinkWatcher): void;
  /** Closes every link. Always returns. */
  close(): Promise<void>;
}

export type LinkAcceptor = (stream: LinkStream, peer: PeerIdentity) => LinkStreamHandlers;

export interface LinkWatcher {
  onUp(peer: PeerIdentity): void;
  /** The link to a peer that was up is gone. */
  onDown(peer: PeerIdentity, reason: LinkCloseReason): void;
}

/**
 * `refused`: nobody listens there, the process is gone. `unreachable`: no answer. `closed`: it was up
 * and the peer ended it or died. `silent`: nothing was heard for the idle limit. `mismatch`: another
 * cluster, node or version. `protocol`: the peer broke the framing. `local`: this side closed it.
 */
export type LinkCloseReason =
  | 'refused'
  | 'unreachable'
  | 'closed'
  | 'silent'
  | 'mismatch'
  | 'protocol'
  | 'local';

export interface LinkStreamHandlers {
  /** The link is up and the peer known. On accepted streams it is never called. */
  onOpen?(peer: PeerIdentity): void;
  /**
   * One frame. The header is a small encoded message; the payload is raw bytes in one private buffer
   * that may be kept and written as it is. Call `consumed` with the payload's length when done.
   */
  onFrame(header: Buffer, payload: Buffer): void;
  /** `send` returned false and there is credit again. */
  onDrain?(): void;
  /** Called exactly once, last: no frame comes after it, and what was not answered may be lost. */
  onClose(reason: LinkCloseReason): void;
}

export interface LinkStream {
  /**
   * Queues a frame; the parts of the payload are sent as they are, without a copy, and must not change
   * until sent. False: the credit is used up, wait for `onDrain`; the frame itself is accepted.
   * `sent` is called once nothing here refers to the parts any more; never, if the link ends before.
   */
  send(header: Uint8Array, payload?: readonly Uint8Array[], sent?: () => void): boolean;
  /** Gives the sender back credit for payload bytes that were dealt with. */
  consumed(bytes: number): void;
  close(): void;
}
