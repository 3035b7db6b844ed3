/**
 * The flight recorder: what was decided, why, and on which evidence. Bounded in bytes, the oldest events
 * go first; a reader that was too slow sees the gap in the numbers.
 */
import { limits } from '../../../proto/model/limits.ts';
import type { Revision } from '../../../proto/model/offset.ts';
import type { EventDraft } from './decision.ts';

/** An event as it is kept. */
export interface JournalEvent extends EventDraft {
  /** From 1, without gaps in what was written. */
  readonly sequence: number;
  /** Wall clock of the node that wrote it; for people. */
  readonly wallMs: number;
  /** The change that it belongs to; never goes back from one event to the next. */
  readonly revision: Revision;
}

export interface JournalQuery {
  /** The first number wanted; 0: the oldest kept. */
  readonly fromSequence: number;
  /** Undefined: all kinds. */
  readonly kind?: string | undefined;
  /** Undefined: all subjects. */
  readonly subject?: string | undefined;
  /** At most so many. */
  readonly limit: number;
}

export interface JournalPage {
  readonly events: readonly JournalEvent[];
  /** Where to go on. */
  readonly nextSequence: number;
  /** Nothing that is kept was left out behind this page. */
  readonly isCaughtUp: boolean;
}

/** What an event costs in memory beside its texts. */
const overheadBytes = 160;

export class Journal {
  readonly #bytesMax: number;
  #events: JournalEvent[] = [];
  #first = 0;
  #bytes = 0;
  #next = 1;

  constructor(bytesMax: number = limits.journalBytesMax) {
    this.#bytesMax = bytesMax;
  }

  /** The number that the next event will get. */
  get nextSequence(): number {
    return this.#next;
  }

  /** Writes the events of one committed change. */
  append(drafts: readonly EventDraft[], at: { wallMs: number; revision: Revision }): void {
    const before = this.#events.at(-1)?.revision ?? at.revision;
    const place = { ...at, revision: before > at.revision ? before : at.revision };
    for (const draft of drafts) {
      this.#events.push({ ...draft, ...place, sequence: this.#next++ });
      this.#bytes += bytesOf(draft);
    }
    this.#forget();
  }

  /**
   * Takes over what another journal holds from the last event of this one on. Where the two are not one
   * story, or events between them are gone, this one is empty then, to be filled from the oldest.
   */
  follow(others: readonly JournalEvent[]): void {
    const last = this.#events.at(-1);
    const [first] = others;
    const isJoined =
      last === undefined ||
      (first?.sequence === last.sequence &&
        first.revision === last.revision &&
        first.kind === last.kind);
    if (!isJoined) {
      this.#events = [];
      this.#first = 0;
      this.#bytes = 0;
      this.#next = 1;
      return;
    }
    for (const event of last === undefined ? others : others.slice(1)) {
      this.#events.push(event);
      this.#bytes += bytesOf(event);
      this.#next = event.sequence + 1;
    }
    this.#forget();
  }

  /** The oldest go first; their room is taken back in blocks. */
  #forget(): void {
    while (this.#bytes > this.#bytesMax) {
      const oldest = this.#events[this.#first];
      if (oldest === undefined) break;
      this.#first++;
      this.#bytes -= bytesOf(oldest);
    }
    if (this.#first > 1024 && this.#first * 2 > this.#events.length) {
      this.#events = this.#events.slice(this.#first);
      this.#first = 0;
    }
  }

  /** The kept events that match, oldest first. To follow, ask again from `nextSequence`. */
  read(query: JournalQuery): JournalPage {
    const oldest = this.#next - (this.#events.length - this.#first);
    const from = Math.max(query.fromSequence, oldest);
    const events: JournalEvent[] = [];
    for (let sequence = from; sequence < this.#next; sequence++) {
      const event = this.#events[this.#first + sequence - oldest];
      if (event === undefined || !matches(event, query)) continue;
      if (events.length >= query.limit) {
        return { events, nextSequence: sequence, isCaughtUp: false };
      }
      events.push(event);
    }
    return { events, nextSequence: Math.max(this.#next, from), isCaughtUp: true };
  }
}

function matches(event: JournalEvent, { kind, subject }: JournalQuery): boolean {
  return (
    (kind === undefined || event.kind === kind) &&
    (subject === undefined || event.subject === subject)
  );
}

function bytesOf({ kind, subject, reason, evidence }: EventDraft): number {
  let chars = kind.length + subject.length + reason.length;
  for (const [name, value] of Object.entries(evidence)) {
    chars += name.length + (typeof value === 'string' ? value.length : 8) + 16;
  }
  return overheadBytes + 2 * chars;
}
