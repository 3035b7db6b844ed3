/**
 * The push to browsers: some times a second, while at least one looks, what changed is made into one
 * message and given to all of them. A node that nobody looks at does nothing for its dashboard.
 */
import type { StateMessage } from '../../proto/dashboard/messages.ts';
import type { NodeId } from '../../proto/model/ids.ts';
import type { Clock, Timer } from '../../proto/ports/clock.ts';
import { type ClusterMoment, ClusterRows } from './cluster-rows.ts';
import type { EventFollower } from './event-follower.ts';
import { encodeEvent, FeedClient, type FeedSink } from './feed-client.ts';
import { peersOf } from './node-rows.ts';
import type { PeerTelemetry } from './peer-telemetry.ts';

export interface LiveFeedOptions {
  readonly nodeId: NodeId;
  readonly clock: Clock;
  readonly telemetry: PeerTelemetry;
  readonly events: EventFollower;
  /** The metadata as this node has it. */
  readonly facts: () => Pick<ClusterMoment, 'image' | 'isStale' | 'controller' | 'term'>;
}

/** Browsers of one node; one more is refused. */
const clientsMax = 32;
/** Four pictures a second, and fewer where each has much in it. */
const tickMs = 250;
const manyRows = 3_000;

export class LiveFeed {
  readonly #options: LiveFeedOptions;
  readonly #clients = new Set<FeedClient>();
  #rows = new ClusterRows();
  #timer: Timer | undefined;

  constructor(options: LiveFeedOptions) {
    this.#options = options;
  }

  get hasRoom(): boolean {
    return this.#clients.size < clientsMax;
  }

  /** Adds a browser; returns how to take it off again. */
  join(sink: FeedSink): () => void {
    const client = new FeedClient(sink);
    this.#clients.add(client);
    const { nodeId } = this.#options;
    const clusterId = this.#options.facts().image.clusterId ?? '';
    client.send(encodeEvent({ kind: 'hello', node: nodeId, clusterId }));
    if (this.#timer === undefined) this.#tick();
    return () => {
      this.#clients.delete(client);
      if (this.#clients.size === 0) this.#rest();
    };
  }

  close(): void {
    for (const client of this.#clients) client.end();
    this.#clients.clear();
    this.#rest();
  }

  #rest(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#rows = new ClusterRows();
    this.#options.telemetry.rest();
  }

  #tick(): void {
    const { clock, telemetry, events } = this.#options;
    const moment = this.#moment();
    const { image } = moment;
    const delta = this.#rows.delta(moment);
    this.#send(moment, delta);
    telemetry.ask(peersOf(image));
    events.poll();
    const rows = delta.replicas.length + delta.partitions.length;
    this.#timer = clock.after(rows > manyRows ? tickMs * 2 : tickMs, () => this.#tick());
  }

  #send(moment: ClusterMoment, delta: StateMessage): void {
    const { events } = this.#options;
    const fresh = events.take();
    const changes = [encodeEvent(delta)];
    if (fresh.length > 0) changes.push(encodeEvent({ kind: 'events', events: fresh }));
    let whole: string[] | undefined;
    for (const client of this.#clients) {
      if (!client.canTake(moment.nowMs)) continue;
      if (client.needsWhole) {
        whole ??= [
          encodeEvent(this.#rows.whole(moment)),
          encodeEvent({ kind: 'events', events: events.kept }),
        ];
        client.needsWhole = false;
        for (const text of whole) client.send(text);
      } else {
        for (const text of changes) client.send(text);
      }
    }
  }

  #moment(): ClusterMoment {
    const { clock, telemetry, facts } = this.#options;
    return {
      ...facts(),
      wallMs: clock.wall(),
      nowMs: clock.now(),
      heard: (node) => telemetry.heard(node),
    };
  }
}
