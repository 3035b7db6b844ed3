/**
 * The story of the links in the log: one line when a link comes up or goes, and for what keeps coming
 * from outside (scanners, foreign clusters, peers that cannot be reached) one line per class and
 * interval, with how many there were.
 */
import type { Clock } from '../ports/clock.ts';
import type { LinkCloseReason, PeerAddress, PeerIdentity } from '../ports/link.ts';
import type { LogFields, Logger } from '../ports/logger.ts';

const repeatMs = 10_000;

export interface LinkEnd {
  readonly to: PeerAddress | undefined;
  readonly peer: PeerIdentity | undefined;
  readonly remote: string;
  readonly reason: LinkCloseReason;
  readonly detail: string;
}

export class LinkLog {
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** By class: when the last line was written, and how many came since. */
  readonly #classes = new Map<string, { at: number; count: number }>();

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  up(peer: PeerIdentity, remote: string): void {
    this.#logger.info('link-up', 'A link to a peer is up.', {
      peer: peer.nodeId,
      incarnation: peer.incarnationId,
      remote,
    });
  }

  down(end: LinkEnd): void {
    const { peer, reason, detail, remote } = end;
    if (peer === undefined) {
      this.#failed(end);
      return;
    }
    const fields = { peer: peer.nodeId, incarnation: peer.incarnationId, reason, detail, remote };
    if (reason === 'closed' || reason === 'local') {
      this.#logger.info('link-down', 'A link to a peer was closed.', fields);
    } else this.#logger.warn('link-down', 'A link to a peer was given up.', fields);
  }

  /** No link came of it. */
  #failed(end: LinkEnd): void {
    if (end.reason === 'local') return;
    const { to, reason, detail, remote } = end;
    if (to === undefined) {
      this.#rarely(`accepted ${reason}`, 'link-refused', {
        message: 'A connection was closed before it became a link.',
        fields: { reason, detail, remote },
      });
      return;
    }
    this.#rarely(`dialled ${to.nodeId} ${reason}`, 'link-failed', {
      message: 'A peer cannot be reached.',
      fields: { peer: to.nodeId, address: `${to.host}:${to.port}`, reason, detail },
    });
  }

  #rarely(
    key: string,
    event: string,
    line: { readonly message: string; readonly fields: LogFields },
  ): void {
    const now = this.#clock.now();
    const seen = this.#classes.get(key);
    if (seen !== undefined && now - seen.at < repeatMs) {
      seen.count += 1;
      return;
    }
    const since = seen === undefined ? 0 : seen.count;
    this.#classes.set(key, { at: now, count: 0 });
    this.#logger.warn(event, line.message, { ...line.fields, unreported: since });
  }
}
