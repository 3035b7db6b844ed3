/**
 * The figures of all nodes, as this one hears them: its own are read, the others are asked over the
 * peer link, and only while somebody looks. A node that does not answer keeps its last figures with
 * their age; nothing is guessed.
 *
 * Invariant: at most one question waits for each node, so a slow one is asked less often.
 */
import {
  ReadTelemetryRequest,
  ReadTelemetryResponse,
} from '../../proto/generated/highwater/peer/v1/telemetry.ts';
import { acceptRequests, type LinkRequests, openRequests } from '../../proto/link/requests.ts';
import type { NodeId } from '../../proto/model/ids.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import type { LinkEndpoint, PeerAddress } from '../../proto/ports/link.ts';
import type { Logger } from '../../proto/ports/logger.ts';

export interface PeerTelemetryOptions {
  readonly nodeId: NodeId;
  readonly endpoint: LinkEndpoint;
  readonly clock: Clock;
  readonly logger: Logger;
  own(): ReadTelemetryResponse;
}

/** What was last heard from a node, and when (monotonic milliseconds of this node). */
export interface HeardTelemetry {
  readonly heardAt: number;
  readonly figures: ReadTelemetryResponse;
}

interface Peer {
  readonly at: PeerAddress;
  readonly requests: LinkRequests;
  isAsking: boolean;
}

const readTelemetry = 1;
const answerMs = 2_000;

export class PeerTelemetry {
  readonly #options: PeerTelemetryOptions;
  readonly #peers = new Map<NodeId, Peer>();
  readonly #heard = new Map<NodeId, HeardTelemetry>();

  constructor(options: PeerTelemetryOptions) {
    this.#options = options;
    const { endpoint, clock, logger } = options;
    acceptRequests(
      endpoint,
      'telemetry',
      () => ({
        calls: new Map([
          [
            readTelemetry,
            () =>
              Promise.resolve({
                header: new Uint8Array(0),
                payload: ReadTelemetryResponse.encode(options.own()),
              }),
          ],
        ]),
      }),
      { clock, logger },
    );
  }

  heard(node: NodeId): HeardTelemetry | undefined {
    return this.#heard.get(node);
  }

  /** Reads the own figures and asks every other node that is not being asked. */
  ask(others: readonly PeerAddress[]): void {
    const { nodeId, clock } = this.#options;
    this.#heard.set(nodeId, { heardAt: clock.now(), figures: this.#options.own() });
    for (const other of others) if (other.nodeId !== nodeId) this.#ask(other);
  }

  /** Nobody looks any more: the streams to the others end. */
  rest(): void {
    for (const { requests } of this.#peers.values()) requests.close();
    this.#peers.clear();
  }

  #ask(at: PeerAddress): void {
    const peer = this.#peerAt(at);
    if (peer.isAsking) return;
    peer.isAsking = true;
    const question = Buffer.concat(ReadTelemetryRequest.encode({}));
    peer.requests.call(readTelemetry, { header: question }, answerMs).then(
      ({ payload }) => {
        peer.isAsking = false;
        const figures = ReadTelemetryResponse.decode(payload);
        this.#heard.set(at.nodeId, { heardAt: this.#options.clock.now(), figures });
      },
      () => {
        peer.isAsking = false;
      },
    );
  }

  #peerAt(at: PeerAddress): Peer {
    const known = this.#peers.get(at.nodeId);
    if (known !== undefined && known.at.host === at.host && known.at.port === at.port) return known;
    known?.requests.close();
    const { endpoint, clock, logger } = this.#options;
    const requests = openRequests(
      endpoint,
      { to: at, kind: 'telemetry' },
      {
        onClose: () => {
          if (this.#peers.get(at.nodeId)?.requests === requests) this.#peers.delete(at.nodeId);
        },
      },
      { clock, logger },
    );
    const peer: Peer = { at, requests, isAsking: false };
    this.#peers.set(at.nodeId, peer);
    return peer;
  }
}
