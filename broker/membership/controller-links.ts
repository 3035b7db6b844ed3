/**
 * A control stream to every controller, opened again after a pause when it breaks. Who is active is
 * not known here; callers name a controller. A controller that has become the active one says so on
 * these streams, so that nobody waits for the next heartbeat to find out.
 */

import { ActiveNotice } from '../../proto/generated/highwater/peer/v1/control.ts';
import {
  type ControlMethod,
  callControl,
  controlNotices,
} from '../../proto/link/control-methods.ts';
import { type LinkRequests, openRequests } from '../../proto/link/requests.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import type { NodeId } from '../../proto/model/ids.ts';
import type { Term } from '../../proto/model/offset.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import type { LinkEndpoint, PeerAddress } from '../../proto/ports/link.ts';
import type { Logger } from '../../proto/ports/logger.ts';

export interface ControllerLinksOptions {
  readonly endpoint: LinkEndpoint;
  /** To begin with. */
  readonly controllers: readonly PeerAddress[];
  readonly clock: Clock;
  readonly logger: Logger;
  onDown(controller: NodeId): void;
  /** A controller says that it has become the active one. */
  onActive?(controller: NodeId, term: Term): void;
}

/** Before a controller is called again that closed the stream at once; dials are paced by the link. */
const retryMs = 100;

export class ControllerLinks {
  readonly #options: ControllerLinksOptions;
  readonly #open = new Map<NodeId, LinkRequests>();
  readonly #resting = new Set<NodeId>();
  #controllers: readonly PeerAddress[];
  #isClosed = false;

  constructor(options: ControllerLinksOptions) {
    this.#options = options;
    this.#controllers = options.controllers;
  }

  get nodeIds(): readonly NodeId[] {
    return this.#controllers.map((controller) => controller.nodeId);
  }

  /** Opens a stream to every controller: whichever becomes the active one can say so. */
  reach(): void {
    for (const nodeId of this.nodeIds) this.#requestsTo(nodeId);
  }

  /** Keeps streams to these. One to a controller that moved or went is closed. */
  follow(controllers: readonly PeerAddress[]): void {
    const before = this.#controllers;
    this.#controllers = controllers;
    for (const [nodeId, requests] of this.#open) {
      const was = addressOf(before, nodeId);
      const is = addressOf(controllers, nodeId);
      if (is?.host !== was?.host || is?.port !== was?.port) requests.close();
    }
  }

  call<Request, Response>(
    at: NodeId,
    method: ControlMethod<Request, Response>,
    message: Request,
    deadlineMs: number,
  ): Promise<Response> {
    const requests = this.#requestsTo(at);
    if (requests === undefined) {
      return Promise.reject(
        new HighwaterError('CONTROLLER_NOT_AVAILABLE', `controller ${at} cannot be reached now`, {
          outcome: 'not-written',
        }),
      );
    }
    return callControl(requests, method, message, deadlineMs);
  }

  close(): void {
    this.#isClosed = true;
    for (const requests of this.#open.values()) requests.close();
  }

  #requestsTo(nodeId: NodeId): LinkRequests | undefined {
    const open = this.#open.get(nodeId);
    if (open !== undefined || this.#isClosed || this.#resting.has(nodeId)) return open;
    const to = addressOf(this.#controllers, nodeId);
    if (to === undefined) return undefined;
    const { endpoint, clock, logger } = this.#options;
    let openedMs: number | undefined;
    const requests = openRequests(
      endpoint,
      { to, kind: 'control' },
      {
        notices: new Map([
          [controlNotices.active, ({ header }) => this.#becameActive(nodeId, header)],
        ]),
        onOpen: () => {
          openedMs = clock.now();
        },
        onClose: () => {
          const hasHeld = openedMs !== undefined && clock.now() - openedMs >= retryMs;
          this.#onClose(nodeId, hasHeld);
        },
      },
      { clock, logger },
    );
    this.#open.set(nodeId, requests);
    return requests;
  }

  #becameActive(nodeId: NodeId, header: Buffer): void {
    try {
      this.#options.onActive?.(nodeId, ActiveNotice.decode(header).term);
    } catch (caught) {
      const { message } = HighwaterError.from(caught);
      const text = 'A controller sent a notice that cannot be read.';
      this.#options.logger.warn('notice-refused', text, { controller: nodeId, message });
    }
  }

  #onClose(nodeId: NodeId, hasHeld: boolean): void {
    this.#open.delete(nodeId);
    if (!hasHeld) {
      this.#resting.add(nodeId);
      this.#options.clock.after(retryMs, () => this.#resting.delete(nodeId));
    }
    this.#options.onDown(nodeId);
  }
}

function addressOf(controllers: readonly PeerAddress[], nodeId: NodeId): PeerAddress | undefined {
  return controllers.find((controller) => controller.nodeId === nodeId);
}
