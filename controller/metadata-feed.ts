/**
 * The metadata stream that brokers follow: every committed change in order, from the revision that the
 * subscriber holds, or a snapshot where it is too far behind. A change is one run of frames; a
 * subscriber applies nothing before the last of them.
 *
 * Recent changes are kept up to a bound of bytes. A subscriber without credit is not written to: its
 * position stays, and it goes on from there or, when that was dropped, from a snapshot.
 */
import { MetadataFrame, MetadataSubscribe } from '../proto/generated/highwater/peer/v1/metadata.ts';
import { ChangeHistory } from '../proto/metadata/change-history.ts';
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

const snapshotFrameBytes = 256 * 1024;

export class MetadataFeed implements MetadataWatcher {
  readonly #machine: MetadataMachine;
  readonly #logger: Logger;
  readonly #subscribers = new Set<Subscriber>();
  #history = new ChangeHistory(revision(0));

  constructor(machine: MetadataMachine, logger: Logger) {
    this.#machine = machine;
    this.#logger = logger;
    machine.watch(this);
  }

  /** Takes subscribers on an endpoint. */
  serve(endpoint: LinkEndpoint): void {
    endpoint.accept('metadata', (stream, peer) => this.#accept(stream, peer));
  }

  onChange({ revision: at, bytes }: AppliedChange): void {
    this.#history.add({ revision: at, count: 0, bytes });
    for (const subscriber of this.#subscribers) this.#feed(subscriber);
  }

  onRestored(image: MetadataImage): void {
    this.#history = new ChangeHistory(image.revision);
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
    if (subscriber.at === undefined || !subscriber.hasCredit || subscriber.at >= image.revision)
      return;
    const missed = this.#history.since(subscriber.at);
    if (missed === undefined) return sendSnapshot(subscriber, image);
    for (const change of missed) {
      if (!subscriber.hasCredit) return;
      const header = {
        revision: change.revision,
        isSnapshot: false,
        isLast: true,
        records: change.count,
      };
      subscriber.hasCredit = subscriber.stream.send(Buffer.concat(MetadataFrame.encode(header)), [
        change.bytes,
      ]);
      subscriber.at = change.revision;
    }
  }
}

interface Subscriber {
  readonly stream: LinkStream;
  /** The last revision sent; undefined before it subscribed. */
  at: Revision | undefined;
  hasCredit: boolean;
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
