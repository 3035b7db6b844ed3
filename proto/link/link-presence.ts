/**
 * Which peers this node has links with. Two nodes may have a link for each direction of dialling, so
 * watchers hear of a peer when its first link comes up and when its last one is gone. Another
 * incarnation of a node is another peer.
 */
import type { NodeId } from '../model/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { LinkCloseReason, LinkWatcher, PeerIdentity } from '../ports/link.ts';

export class LinkPresence {
  readonly #clock: Clock;
  readonly #own: NodeId;
  readonly #watchers: LinkWatcher[] = [];
  /** Number of links by incarnation. */
  readonly #links = new Map<string, number>();

  constructor(clock: Clock, own: NodeId) {
    this.#clock = clock;
    this.#own = own;
  }

  watch(watcher: LinkWatcher): void {
    this.#watchers.push(watcher);
  }

  up(peer: PeerIdentity): void {
    if (peer.nodeId === this.#own) return;
    const count = this.#links.get(peer.incarnationId) ?? 0;
    this.#links.set(peer.incarnationId, count + 1);
    if (count === 0) this.#tell((watcher) => watcher.onUp(peer));
  }

  down(peer: PeerIdentity, reason: LinkCloseReason): void {
    const count = this.#links.get(peer.incarnationId) ?? 0;
    if (count > 1) this.#links.set(peer.incarnationId, count - 1);
    if (count !== 1) return;
    this.#links.delete(peer.incarnationId);
    this.#tell((watcher) => watcher.onDown(peer, reason));
  }

  /** Later in the turn, in order: a watcher may open and close streams. */
  #tell(say: (watcher: LinkWatcher) => void): void {
    this.#clock.soon(() => this.#watchers.forEach(say));
  }
}
