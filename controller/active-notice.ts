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
  #wasActive = false;

  constructor(quorum: Quorum) {
    quorum.watch(({ isActive, term }) => {
      const hasBecome = isActive && !this.#wasActive;
      this.#wasActive = isActive;
      if (!hasBecome) return;
      const header = Buffer.concat(Notice.encode({ term }));
      for (const caller of this.#callers) caller.notify(controlNotices.active, { header });
    });
  }

  /** The service for one caller, who is told from here on. */
  serve(service: LinkService, caller: LinkRequests): LinkService {
    this.#callers.add(caller);
    return { ...service, onClose: () => this.#callers.delete(caller) };
  }
}
