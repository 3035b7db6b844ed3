/** What the link's tests need of a network: endpoints, a way to let things happen, and an end. */

import type { LinkTimings } from '../../../proto/link/timings.ts';
import { clusterId, incarnationId, nodeId, storageId } from '../../../proto/model/ids.ts';
import type {
  LinkAcceptor,
  LinkCloseReason,
  LinkEndpoint,
  LinkStream,
  LinkStreamHandlers,
  LinkStreamKind,
  PeerAddress,
  PeerIdentity,
} from '../../../proto/ports/link.ts';
import type { LogFields, Logger } from '../../../proto/ports/logger.ts';

export interface WorldNode {
  readonly endpoint: LinkEndpoint;
  readonly address: PeerAddress;
  readonly identity: PeerIdentity;
  readonly lines: readonly LogLine[];
}

interface NodeOptions {
  readonly identity?: Partial<PeerIdentity>;
  readonly timings?: Partial<LinkTimings>;
}

export interface LinkWorld {
  /** A node that listens. */
  node(number: number, options?: NodeOptions): Promise<WorldNode>;
  /** An address at which nobody listens. */
  nobody(number: number): PeerAddress;
  /** Lets things happen until the predicate holds, or fails. */
  until(predicate: () => boolean): Promise<void>;
  /** Lets whatever is under way happen. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

export interface LogLine {
  readonly event: string;
  readonly fields: LogFields;
}

/** Keeps every line. */
export function recordingLogger(lines: LogLine[]): Logger {
  const note = (event: string, _message: string, fields: LogFields = {}): void => {
    lines.push({ event, fields });
  };
  const logger: Logger = { debug: note, info: note, warn: note, error: note, with: () => logger };
  return logger;
}

const testCluster = clusterId('c0000000-0000-4000-8000-000000000001');

export function testIdentity(number: number, own: Partial<PeerIdentity> = {}): PeerIdentity {
  const tail = String(number).padStart(12, '0');
  return {
    clusterId: testCluster,
    nodeId: nodeId(number),
    storageId: storageId(`50000000-0000-4000-8000-${tail}`),
    incarnationId: incarnationId(`10000000-0000-4000-8000-${tail}`),
    featureMin: 1,
    featureMax: 1,
    ...own,
  };
}

export interface Seen {
  readonly frames: { readonly header: string; readonly payload: Buffer }[];
  readonly closed: LinkCloseReason[];
  readonly opened: PeerIdentity[];
  drains: number;
  payloadBytes: number;
}

/** Handlers that write down what they are told. `consume` gives every payload back at once. */
export function recorder(consume?: () => LinkStream | undefined): Seen & LinkStreamHandlers {
  const seen: Seen = { frames: [], closed: [], opened: [], drains: 0, payloadBytes: 0 };
  return Object.assign(seen, {
    onOpen: (peer: PeerIdentity) => {
      seen.opened.push(peer);
    },
    onFrame: (header: Buffer, payload: Buffer) => {
      seen.frames.push({ header: header.toString(), payload });
      seen.payloadBytes += payload.length;
      consume?.()?.consumed(payload.length);
    },
    onDrain: () => {
      seen.drains += 1;
    },
    onClose: (reason: LinkCloseReason) => {
      seen.closed.push(reason);
    },
  });
}

export interface Accepted {
  readonly stream: LinkStream;
  readonly peer: PeerIdentity;
  readonly seen: Seen;
}

/** Accepts streams of a kind and keeps them. */
export function acceptAll(
  node: WorldNode,
  kind: LinkStreamKind,
  options: { readonly consume: boolean } = { consume: true },
): Accepted[] {
  const accepted: Accepted[] = [];
  const acceptor: LinkAcceptor = (stream, peer) => {
    const seen = recorder(() => (options.consume ? stream : undefined));
    accepted.push({ stream, peer, seen });
    return seen;
  };
  node.endpoint.accept(kind, acceptor);
  return accepted;
}
