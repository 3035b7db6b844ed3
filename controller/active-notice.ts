/**
 * Tells those who speak to this controller that it has become the active one, so that they need not
 * find out by their next heartbeat. It grants nothing: leases come with answers to heartbeats alone.
 */
import { ActiveNotice as Notice } from '../proto/generated/highwater/peer/v1/control.ts';
import { controlNotices } from '../proto/link/control-methods.ts';
import type { LinkRequests, LinkService } from '../proto/link/requests.ts';
import type { Quorum } from './raft/driver.ts';

export class ActiveNotice {
  readonly #callers = new Set<LinkRequests>();
  /** While this controller is the active one. */
  #notice: Buffer | undefined;

  constructor(quorum: Quorum) {
    quorum.watch(({ isActive, term }) => {
      const hasBecome = isActive && this.#notice === undefined;
      if (!isActive) this.#notice = undefined;
      if (!hasBecome) return;
      const header = Buffer.concat(Notice.encode({ term }));
      this.#notice = header;
      for (const caller of this.#callers) caller.notify(controlNotices.active, { header });
    });
  }

  /** The service for one caller, who is told at once or from here on. */
  serve(service: LinkService, caller: LinkRequests): LinkService {
    this.#callers.add(caller);
    if (this.#notice !== undefined) caller.notify(controlNotices.active, { header: this.#notice });
    return { ...service, onClose: () => this.#callers.delete(caller) };
  }
}
