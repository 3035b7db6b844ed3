/**
 * The flight recorder for clients: pages of the active controller's journal, and what comes after them
 * for a client that follows. A client that reads slowly is paged slowly; what the journal has dropped
 * meanwhile shows as a gap in the numbers. Each controller numbers its own: where another one has become
 * active, its journal is asked from the beginning, and what is not newer than the last event is passed over.
 */

import type { ReadEventsRequest } from '../../proto/generated/highwater/peer/v1/control.ts';
import {
  adminService,
  type WatchEventsRequest,
  type WatchEventsResponse,
} from '../../proto/generated/highwater/v1/admin.ts';
import { controlMethods } from '../../proto/link/control-methods.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import type { NodeId } from '../../proto/model/ids.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import type { RpcRegistry, RpcStream, RpcStreamHandlers } from '../../proto/ports/rpc.ts';
import type { Authorizer } from '../access/authorizer.ts';
import type { ControllerLinks } from '../membership/controller-links.ts';

export interface EventStreamOptions {
  readonly authorizer: Authorizer;
  readonly links: ControllerLinks;
  readonly activeController: () => NodeId | undefined;
  readonly clock: Clock;
}

const pageMax = 500;
const followMs = 200;
const readMs = 2_000;
/** Without an active controller for so long the stream ends, and the client asks elsewhere. */
const patienceMs = 10_000;

/** Registers `WatchEvents`. */
export function registerEvents(registry: RpcRegistry, options: EventStreamOptions): void {
  const { authorizer } = options;
  registry.stream(adminService.watchEvents, (stream, context) => {
    authorizer.authorize(authorizer.principalOf(context), 'read', { kind: 'cluster' });
    return new EventStream(stream, options).handlers;
  });
}

class EventStream {
  readonly #stream: RpcStream<WatchEventsResponse>;
  readonly #options: EventStreamOptions;
  #request: WatchEventsRequest | undefined;
  #next = 0;
  /** Whose numbers `#next` counts in. */
  #source: NodeId | undefined;
  /** Of the last event that was sent. */
  #revision = 0;
  /** Events up to this revision were another controller's to tell. */
  #toldRevision = 0;
  #isRunning = false;
  #isClosed = false;
  #drained: (() => void) | undefined;

  constructor(stream: RpcStream<WatchEventsResponse>, options: EventStreamOptions) {
    this.#stream = stream;
    this.#options = options;
  }

  readonly handlers: RpcStreamHandlers<WatchEventsRequest> = {
    onMessage: (request) => {
      this.#request = request;
      this.#next = request.fromSequence;
      if (!this.#isRunning) void this.#run();
    },
    // Without this a client that sends its one request and half-closes would get no answer.
    onEnd: () => undefined,
    onDrain: () => this.#drained?.(),
    onClose: () => {
      this.#isClosed = true;
      this.#drained?.();
    },
  };

  async #run(): Promise<void> {
    this.#isRunning = true;
    const { clock } = this.#options;
    let heardMs = clock.now();
    while (!this.#isClosed && this.#request !== undefined) {
      const isCaughtUp = await this.#page(this.#request);
      if (isCaughtUp !== undefined) heardMs = clock.now();
      if (isCaughtUp === true && !this.#request.follow) return this.#stream.end();
      if (clock.now() - heardMs > patienceMs) {
        return this.#stream.cancel(
          new HighwaterError('CONTROLLER_NOT_AVAILABLE', 'no active controller answered'),
        );
      }
      if (isCaughtUp !== false) await this.#pause();
    }
  }

  /** Sends one page; undefined if no controller answered. */
  async #page(request: WatchEventsRequest): Promise<boolean | undefined> {
    const { links, activeController } = this.#options;
    const active = activeController();
    if (active === undefined) return undefined;
    if (this.#source !== undefined && this.#source !== active) {
      this.#next = 0;
      this.#toldRevision = this.#revision;
    }
    this.#source = active;
    const { kind, subject } = request;
    const from = { fromSequence: this.#next, knownSequence: 0 };
    const question: ReadEventsRequest = { ...from, kind, subject, limit: pageMax };
    try {
      const page = await links.call(active, controlMethods.readEvents, question, readMs);
      this.#next = page.nextSequence;
      const events = page.events.filter(({ revision }) => revision > this.#toldRevision);
      this.#revision = events.at(-1)?.revision ?? this.#revision;
      if (events.length > 0 || (page.caughtUp && !request.follow))
        await this.#send({ events, caughtUp: page.caughtUp });
      return page.caughtUp;
    } catch {
      return undefined;
    }
  }

  async #send(response: WatchEventsResponse): Promise<void> {
    if (this.#stream.send(response) || this.#isClosed) return;
    await new Promise<void>((resolve) => {
      this.#drained = resolve;
    });
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#options.clock.after(followMs, resolve);
    });
  }
}
