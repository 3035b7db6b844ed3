/**
 * Keeps the flight recorder of a standby like that of the active controller, so that what led to the
 * end of one can be read from the next. It is asked for what is behind the last event known here, and
 * answers when there is something: only what a process recorded in its last moment is lost with it.
 */
import type { RecordedEvent } from '../proto/generated/highwater/peer/v1/control.ts';
import { callControl, controlMethods } from '../proto/link/control-methods.ts';
import { type LinkRequests, openRequests } from '../proto/link/requests.ts';
import type { NodeId } from '../proto/model/ids.ts';
import type { Clock, Timer } from '../proto/ports/clock.ts';
import type { LinkEndpoint } from '../proto/ports/link.ts';
import type { Logger } from '../proto/ports/logger.ts';
import type { EventKind } from './cluster/core/decision.ts';
import type { JournalEvent } from './cluster/core/journal.ts';
import type { EventJournal } from './event-journal.ts';
import type { Quorum } from './raft/driver.ts';

export interface JournalFollowerOptions {
  readonly nodeId: NodeId;
  readonly quorum: Quorum;
  readonly journal: EventJournal;
  readonly endpoint: LinkEndpoint;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Before a controller is asked again that had nothing to tell, or that did not answer. */
const retryMs = 200;
/** The same while there has been no answer yet: a new cluster has a lot to tell at once. */
const firstRetryMs = 20;
/** Longer than an answer waits for an event. */
const readMs = 3_000;
const pageMax = 500;

export class JournalFollower {
  readonly #options: JournalFollowerOptions;
  #asked: { readonly nodeId: NodeId; readonly requests: LinkRequests } | undefined;
  #timer: Timer | undefined;
  #hasAnswer = false;
  #isClosed = false;

  constructor(options: JournalFollowerOptions) {
    this.#options = options;
  }

  start(): void {
    const { clock, quorum } = this.#options;
    const isRested = this.#hasAnswer || quorum.status.role === 'leader';
    this.#timer = clock.after(isRested ? retryMs : firstRetryMs, () => void this.#turn());
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#asked?.requests.close();
  }

  async #turn(): Promise<void> {
    let isAnswered = true;
    while (isAnswered && !this.#isClosed) isAnswered = await this.#page().catch(() => false);
    if (!this.#isClosed) this.start();
  }

  /** True if the next page is to be asked for at once: it comes when there is something in it. */
  async #page(): Promise<boolean> {
    const { journal } = this.#options;
    const requests = this.#active();
    if (requests === undefined) return false;
    const last = journal.lastSequence;
    // The last one known is asked for again: it shows whether the two tell the same story so far.
    const from = { fromSequence: last, knownSequence: last };
    const question = { ...from, kind: '', subject: '', limit: pageMax };
    const page = await callControl(requests, controlMethods.readEvents, question, readMs);
    this.#hasAnswer = true;
    // Meanwhile this one may have begun to record itself.
    if (this.#options.quorum.status.role === 'leader') return false;
    journal.follow(page.events.map(recorded));
    return page.events.length > 0;
  }

  /** Requests to the active controller, if that is another one. */
  #active(): LinkRequests | undefined {
    const { quorum, nodeId, endpoint, clock, logger } = this.#options;
    const { leader, voters } = quorum.status;
    const to = voters.find((voter) => voter.nodeId === leader);
    if (this.#asked?.nodeId === leader) return this.#asked?.requests;
    this.#asked?.requests.close();
    this.#asked = undefined;
    if (to === undefined || to.nodeId === nodeId) return undefined;
    const requests = openRequests(
      endpoint,
      { to: { nodeId: to.nodeId, host: to.host, port: to.port }, kind: 'control' },
      {
        onClose: () => {
          if (this.#asked?.requests === requests) this.#asked = undefined;
        },
      },
      { clock, logger },
    );
    this.#asked = { nodeId: to.nodeId, requests };
    return requests;
  }
}

function recorded(event: RecordedEvent): JournalEvent {
  const kind = event.kind as EventKind;
  return { ...event, kind, evidence: Object.fromEntries(event.evidence) };
}
