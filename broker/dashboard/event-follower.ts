/**
 * Follows the flight recorder of whoever is the active controller, and keeps the latest events for
 * browsers that come later. Where another controller has become active its journal is read from the
 * beginning, and what is not newer than the last event is passed over. Who became it is in the journal.
 */
import type { EventRow } from '../../proto/dashboard/messages.ts';
import type {
  ReadEventsRequest,
  ReadEventsResponse,
} from '../../proto/generated/highwater/peer/v1/control.ts';
import type { NodeId } from '../../proto/model/ids.ts';

export interface EventFollowerOptions {
  readonly activeController: () => NodeId | undefined;
  readonly term: () => number;
  read(from: NodeId, request: ReadEventsRequest): Promise<ReadEventsResponse>;
}

/** Events kept here for browsers; the oldest goes first. */
const keptMax = 2_000;
const pageMax = 500;

export class EventFollower {
  readonly #options: EventFollowerOptions;
  readonly #kept: EventRow[] = [];
  #fresh: EventRow[] = [];
  #journalOf: NodeId | undefined;
  #journalTerm = -1;
  #next = 0;
  /** Of the last event that was read. */
  #revision = 0;
  /** Events up to this revision were told when another controller was read. */
  #toldRevision = 0;
  #isReading = false;

  constructor(options: EventFollowerOptions) {
    this.#options = options;
  }

  /** The latest events, oldest first. */
  get kept(): readonly EventRow[] {
    return this.#kept;
  }

  /** What came since the last call. */
  take(): readonly EventRow[] {
    const fresh = this.#fresh;
    this.#fresh = [];
    return fresh;
  }

  /** Reads on, unless a read is under way. */
  poll(): void {
    const { activeController, term } = this.#options;
    const active = activeController();
    if (active === undefined || this.#isReading) return;
    if (active !== this.#journalOf || term() !== this.#journalTerm) this.#turnTo(active, term());
    this.#isReading = true;
    this.#read(active, term()).then(
      () => {
        this.#isReading = false;
      },
      () => {
        // It has just lost the lead or cannot be reached: the next poll asks who leads by then.
        this.#isReading = false;
      },
    );
  }

  async #read(active: NodeId, term: number): Promise<void> {
    const request = {
      fromSequence: this.#next,
      knownSequence: 0,
      kind: '',
      subject: '',
      limit: pageMax,
    };
    const page = await this.#options.read(active, request);
    if (active !== this.#journalOf || term !== this.#journalTerm) return;
    this.#next = page.nextSequence;
    const unread = page.events.filter(({ revision }) => revision > this.#toldRevision);
    this.#revision = unread.at(-1)?.revision ?? this.#revision;
    this.#add(
      unread.map(({ sequence, wallMs, kind, subject, reason, evidence }) => ({
        sequence,
        term,
        wallMs,
        kind,
        subject,
        reason,
        evidence: Object.fromEntries(evidence),
      })),
    );
  }

  #turnTo(active: NodeId, term: number): void {
    this.#journalOf = active;
    this.#journalTerm = term;
    this.#next = 0;
    this.#toldRevision = this.#revision;
  }

  #add(events: readonly EventRow[]): void {
    this.#kept.push(...events);
    this.#fresh.push(...events);
    this.#kept.splice(0, Math.max(0, this.#kept.length - keptMax));
    this.#fresh.splice(0, Math.max(0, this.#fresh.length - keptMax));
  }
}
