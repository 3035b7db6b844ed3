/**
 * The latest images, from which a stream of metadata is resumed: a watcher that is not too far behind
 * is told what differs from the image that it holds; another one begins with a snapshot.
 *
 * Images share all that did not change between them, so what keeping one costs is about what the change
 * after it replaced. Bounded in bytes by that measure; the oldest images are forgotten first.
 */

import { limits } from '../model/limits.ts';
import type { Revision } from '../model/offset.ts';
import { Queue } from '../model/queue.ts';
import type { MetadataImage } from './image.ts';

interface Kept {
  readonly image: MetadataImage;
  readonly bytes: number;
}

/** What an image costs beside what its change replaced: the paths to it in the maps. */
const overheadBytes = 4096;

export class RecentImages {
  readonly #bytesMax: number;
  readonly #kept = new Queue<Kept>();
  #bytes = 0;

  constructor(bytesMax: number = limits.metadataHistoryBytesMax) {
    this.#bytesMax = bytesMax;
  }

  /** Adds an image and the size of the change that made it from the one before. */
  add(image: MetadataImage, changeBytes: number): void {
    const bytes = changeBytes + overheadBytes;
    this.#kept.push({ image, bytes });
    this.#bytes += bytes;
    // The latest image lives anyway, whatever its change was.
    while (this.#bytes > this.#bytesMax && this.#kept.length > 1) {
      this.#bytes -= this.#kept.shift()?.bytes ?? 0;
    }
  }

  /** A snapshot took the place of everything: it shares nothing with what was kept. */
  restart(image: MetadataImage): void {
    this.#kept.clear();
    this.#bytes = 0;
    this.add(image, 0);
  }

  /** The image as of this revision; undefined if it is not kept, or never was one. */
  at(revision: Revision): MetadataImage | undefined {
    let from = 0;
    let to = this.#kept.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const image = this.#kept.at(middle)?.image;
      if (image === undefined || image.revision > revision) to = middle;
      else if (image.revision < revision) from = middle + 1;
      else return image;
    }
    return undefined;
  }
}
