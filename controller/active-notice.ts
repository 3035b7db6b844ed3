/**
 * Tells those who speak to this controller that it has become the active one. They ask it at once,
 * instead of at their next heartbeat. A hint only: it carries nothing, and what counts is the answer.
 */
import { controlNotices } from '../proto/link/control-methods.ts';
import type { LinkRequests, LinkService } from '../proto/link/requests.ts';
import type { Quorum } from './raft/driver.ts';

export class ActiveNotice {
  readonly #callers = new Set<LinkRequests>();
  #wasActive = false;

  constructor(quorum: Quorum) {
    quorum.watch(({ isActive }) => {
      const hasBecome = isActive && !this.#wasActive;
      this.#wasActive = isActive;
      if (!hasBecome) return;
      for (const caller of this.#callers)
        caller.notify(controlNotices.active, { header: Buffer.alloc(0) });
    });
  }

  /** The service for one caller, who is told from here on. */
  serve(service: LinkService, caller: LinkRequests): LinkService {
    this.#callers.add(caller);
    return { ...service, onClose: () => this.#callers.delete(caller) };
  }
}
