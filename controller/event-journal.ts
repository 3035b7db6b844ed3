/** The flight recorder of the active controller, with a line of the log for each event. */

import type { Revision } from '../proto/model/offset.ts';
import type { Clock } from '../proto/ports/clock.ts';
import type { Logger } from '../proto/ports/logger.ts';
import type { EventDraft } from './cluster/core/decision.ts';
import { Journal, type JournalPage, type JournalQuery } from './cluster/core/journal.ts';

export class EventJournal {
  readonly #journal = new Journal();
  readonly #clock: Clock;
  readonly #logger: Logger;

  constructor(options: { readonly clock: Clock; readonly logger: Logger }) {
    this.#clock = options.clock;
    this.#logger = options.logger;
  }

  /** Events whose change is committed. */
  add(events: readonly EventDraft[], revision: Revision): void {
    this.#journal.append(events, { wallMs: this.#clock.wall(), revision });
    for (const { kind, subject, reason, evidence } of events) {
      this.#logger.info(kind, `${subject}: ${reason}`, { subject, ...evidence, revision });
    }
  }

  read(query: JournalQuery): JournalPage {
    return this.#journal.read(query);
  }
}
