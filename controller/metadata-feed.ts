/**
 * The metadata stream that brokers follow: every committed change in order, from the revision that the
 * subscriber holds, or a snapshot where it is too far behind. A change is one run of frames; a
 * subscriber applies nothing before the last of them.
 *
 * Recent changes are kept up to a bound of bytes. A subscriber without credit is not written to: its
 * position stays, and it goes on from there or, when that was dropped, from a snapshot.
 */
import { MetadataFrame, MetadataSubscribe } from '../proto/generated/highwater/peer/v1/metadata.ts';
import type { MetadataImage } from '../proto/metadata/image.ts';
import { encodeRecords } from '../proto/metadata/records.ts';
import { snapshotRecords } from '../proto/metadata/snapshot.ts';
import { HighwaterError } from '../proto/model/errors.ts';
import { type Revision, revision } from '../proto/model/offset.ts';
import type {
  LinkEndpoint,
  LinkStream,
  LinkStreamHandlers,
  PeerIdentity,
} from '../proto/ports/link.ts';
import type { Logger } from '../proto/ports/logger.ts';
import type { AppliedChange, MetadataMachine, MetadataWatcher } from './metadata-machine.ts';

const keptBytesMax = 8 * 1024 * 1024;
const snapshotFrameBytes = 256 * 1024;

export class MetadataFeed implements MetadataWatcher {
  readonly #machine: MetadataMachine;
  readonly #logger: Logger;
  readonly #subscribers = new Set<Subscriber>();
  #kept: AppliedChange[] = [];
  #keptBytes = 0;
  /** The greatest revision that is not followed by kept changes without a gap. */
  #keptAfter: Revision = revision(0);

  constructor(machine: MetadataMachine, logger: Logger) {
    this.#machine = machine;
    this.#logger = logger;
    machine.watch(this);
  }

  /** Takes subscribers on an endpoint. */
  serve(endpoint: LinkEndpoint): void {
    endpoint.accept('metadata', (stream, peer) => this.#accept(stream, peer));
  }

  onChange(change: AppliedChange): void {
    this.#kept.push(change);
    this.#keptBytes += change.bytes.length;
    while (this.#keptBytes > keptBytesMax) {
      const oldest = this.#kept.shift();
      if (oldest === undefined) break;
      this.#keptBytes -= oldest.bytes.length;
      this.#keptAfter = oldest.revision;
    }
    for (const subscriber of this.#subscribers) this.#feed(subscriber);
  }

  onRestored(image: MetadataImage): void {
    this.#kept = [];
    this.#keptBytes = 0;
    this.#keptAfter = image.revision;
    for (const subscriber of this.#subscribers) this.#feed(subscriber);
  }

  #accept(stream: LinkStream, peer: PeerIdentity): LinkStreamHandlers {
    const subscriber: Subscriber = { stream, at: undefined, hasCredit: true };
    this.#subscribers.add(subscriber);
    return {
      onFrame: (header) => {
        try {
          subscriber.at = MetadataSubscribe.decode(header).revision;
        } catch (caught) {
          const { message } = HighwaterError.from(caught);
          this.#logger.warn('metadata-subscription-refused', 'A subscription cannot be read.', {
            peer: peer.nodeId,
            message,
          });
          stream.close();
          return;
        }
        this.#feed(subscriber);
      },
      onDrain: () => {
        subscriber.hasCredit = true;
        this.#feed(subscriber);
      },
      onClose: () => this.#subscribers.delete(subscriber),
    };
  }

  #feed(subscriber: Subscriber): void {
    const { image } = this.#machine;
    while (subscriber.at !== undefined && subscriber.hasCredit && subscriber.at < image.revision) {
      if (subscriber.at < this.#keptAfter) sendSnapshot(subscriber, image);
      else this.#sendNext(subscriber, subscriber.at);
    }
  }

  #sendNext(subscriber: Subscriber, after: Revision): void {
    const change = this.#kept[firstAfter(this.#kept, after)];
    if (change === undefined) {
      // Entries without records moved nothing; there is no change to send.
      subscriber.at = this.#machine.image.revision;
      return;
    }
    const header = { revision: change.revision, isSnapshot: false, isLast: true, records: 0 };
    subscriber.hasCredit = subscriber.stream.send(Buffer.concat(MetadataFrame.encode(header)), [
      change.bytes,
    ]);
    subscriber.at = change.revision;
  }
}

interface Subscriber {
  readonly stream: LinkStream;
  /** The last revision sent; undefined before it subscribed. */
  at: Revision | undefined;
  hasCredit: boolean;
}

/** Revisions rise: the index of the first change after one. */
function firstAfter(changes: readonly AppliedChange[], after: Revision): number {
  let low = 0;
  let high = changes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((changes[middle]?.revision ?? 0) <= after) low = middle + 1;
    else high = middle;
  }
  return low;
}

function sendSnapshot(subscriber: Subscriber, image: MetadataImage): void {
  let parts: Uint8Array[] = [];
  let bytes = 0;
  const flush = (isLast: boolean): void => {
    const header = { revision: image.revision, isSnapshot: true, isLast, records: 0 };
    subscriber.hasCredit = subscriber.stream.send(
      Buffer.concat(MetadataFrame.encode(header)),
      parts,
    );
    parts = [];
    bytes = 0;
  };
  for (const one of snapshotRecords(image)) {
    const encoded = encodeRecords([one]);
    parts.push(encoded);
    bytes += encoded.length;
    if (bytes >= snapshotFrameBytes) flush(false);
  }
  flush(true);
  subscriber.at = image.revision;
}
