/**
 * Follows the metadata stream of one controller, and of another one when that breaks. Any controller
 * will do: they all apply the same log. A snapshot or a change is taken whole or not at all.
 */
import {
  MetadataFrame,
  MetadataSubscribe,
} from '../../proto/generated/highwater/peer/v1/metadata.ts';
import { emptyImage, type MetadataImage } from '../../proto/metadata/image.ts';
import { decodeRecords } from '../../proto/metadata/records.ts';
import { type Replayed, replay, replaySnapshot } from '../../proto/metadata/replay.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import type { Revision } from '../../proto/model/offset.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import type {
  LinkCloseReason,
  LinkEndpoint,
  LinkStream,
  PeerAddress,
} from '../../proto/ports/link.ts';
import type { Logger } from '../../proto/ports/logger.ts';

export interface MetadataFollowerOptions {
  readonly endpoint: LinkEndpoint;
  /** To begin with, in the order in which they are asked: the one in the own process first. */
  readonly controllers: readonly PeerAddress[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called for each new image, in order. */
  onImage(image: MetadataImage, by: ImageChange): void;
  /** A record of a later version: this node cannot follow any further. */
  onUnreadable(reason: string): void;
}

/** What made an image of the one before. */
export interface ImageChange {
  readonly bytes: number;
  /** It took the place of everything. */
  readonly isSnapshot: boolean;
}

/** Before another controller is asked, if the last one sent nothing. */
const retryMs = 100;
/** A stream that brings nothing for so long, while there is something to bring, is left. */
const behindMs = 1_000;

export class MetadataFollower {
  readonly #options: MetadataFollowerOptions;
  #image: MetadataImage = emptyImage;
  #stream: LinkStream | undefined;
  #controllers: readonly PeerAddress[];
  #next = 0;
  #payloads: Buffer[] = [];
  /** The present stream has brought something: when it breaks, another one is opened at once. */
  #isProven = false;
  /** Since when a later revision is known to be committed, with nothing brought meanwhile. */
  #behindSinceMs: number | undefined;
  #isClosed = false;

  constructor(options: MetadataFollowerOptions) {
    this.#options = options;
    this.#controllers = options.controllers;
  }

  get image(): MetadataImage {
    return this.#image;
  }

  start(): void {
    this.#open();
  }

  /** Other controllers are asked from the next stream on. */
  follow(controllers: readonly PeerAddress[]): void {
    this.#controllers = controllers;
    this.#next = 0;
  }

  /**
   * The active controller has told of a revision. A stream from a controller that hangs or is cut off
   * looks alive for long: this finds it out.
   */
  committed(revision: Revision): void {
    if (revision <= this.#image.revision) {
      this.#behindSinceMs = undefined;
      return;
    }
    const nowMs = this.#options.clock.now();
    this.#behindSinceMs ??= nowMs;
    if (nowMs - this.#behindSinceMs < behindMs) return;
    this.#behindSinceMs = undefined;
    this.#stream?.close();
  }

  close(): void {
    this.#isClosed = true;
    this.#stream?.close();
  }

  #open(): void {
    const controllers = this.#controllers;
    const to = controllers[this.#next % controllers.length];
    this.#next++;
    if (to === undefined || this.#isClosed) return;
    this.#payloads = [];
    this.#isProven = false;
    const stream = this.#options.endpoint.open(to, 'metadata', {
      onFrame: (header, payload) => this.#onFrame(header, payload),
      onClose: (reason) => this.#onClose(reason),
    });
    this.#stream = stream;
    stream.send(Buffer.concat(MetadataSubscribe.encode({ revision: this.#image.revision })));
  }

  #onFrame(header: Buffer, payload: Buffer): void {
    try {
      const frame = MetadataFrame.decode(header);
      this.#isProven = true;
      this.#payloads.push(payload);
      if (frame.isLast) this.#take(frame);
    } catch (caught) {
      const { message } = HighwaterError.from(caught);
      this.#options.logger.error(
        'metadata-refused',
        'A controller sent metadata that cannot be read; another one is asked.',
        { message },
      );
      this.#stream?.close();
    }
    this.#stream?.consumed(payload.length);
  }

  #take(frame: MetadataFrame): void {
    const records = this.#payloads.flatMap((bytes) => decodeRecords(bytes));
    const bytes = this.#payloads.reduce((sum, payload) => sum + payload.length, 0);
    this.#payloads = [];
    if (frame.revision <= this.#image.revision) return;
    const { isSnapshot } = frame;
    const replayed = isSnapshot
      ? replaySnapshot(frame.revision, records)
      : replay(this.#image, frame.revision, records);
    this.#apply(replayed, { bytes, isSnapshot });
  }

  #apply({ image, refused }: Replayed, by: ImageChange): void {
    if (refused?.isUnreadable === true) return this.#options.onUnreadable(refused.reason);
    if (refused !== undefined) {
      this.#options.logger.error(
        'metadata-change-refused',
        'A committed change is bad and was skipped, as on every node.',
        { ...refused },
      );
    }
    this.#image = image;
    this.#behindSinceMs = undefined;
    this.#options.onImage(image, by);
  }

  #onClose(reason: LinkCloseReason): void {
    this.#stream = undefined;
    if (this.#isClosed) return;
    this.#options.logger.debug(
      'metadata-stream-closed',
      'The metadata stream ended; another controller is asked.',
      { reason },
    );
    this.#options.clock.after(this.#isProven ? 0 : retryMs, () => this.#open());
  }
}
