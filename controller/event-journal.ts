/** The flight recorder of the active controller, with a line of the log for each event. */

import type { Revision } from '../proto/model/offset.ts';
import type { Clock } from '../proto/ports/clock.ts';
import type { Logger } from '../proto/ports/logger.ts';
import type { EventDraft } from './cluster/core/decision.ts';
import {
  Journal,
  type JournalEvent,
  type JournalPage,
  type JournalQuery,
} from './cluster/core/journal.ts';

export class EventJournal {
  readonly #journal = new Journal();
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #waiting = new Set<() => void>();

  constructor(options: { readonly clock: Clock; readonly logger: Logger }) {
    this.#clock = options.clock;
    this.#logger = options.logger;
  }

  /** Events whose change is committed. */
  add(events: readonly EventDraft[], revision: Revision): void {
    this.#journal.append(events, { wallMs: this.#clock.wall(), revision });
    for (const end of this.#waiting) end();
    for (const { kind, subject, reason, evidence } of events) {
      this.#logger.info(kind, `${subject}: ${reason}`, { subject, ...evidence, revision });
    }
  }

  /** The number of the latest event; 0 if there is none. */
  get lastSequence(): number {
    return this.#journal.nextSequence - 1;
  }

  /** Resolves when there is an event behind this one, or after a time. */
  behind(sequence: number, waitMs: number): Promise<void> {
    if (this.lastSequence !== sequence) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        this.#waiting.delete(end);
        resolve();
      };
      const timer = this.#clock.after(waitMs, end);
      this.#waiting.add(end);
    });
  }

  /** Takes over what the active controller tells, from the last event here on. */
  follow(events: readonly JournalEvent[]): void {
    this.#journal.follow(events);
  }

  read(query: JournalQuery): JournalPage {
    return this.#journal.read(query);
  }
}
