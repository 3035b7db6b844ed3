/**
 * The latest committed changes as bytes, from which metadata streams are resumed: a subscriber that
 * is not too far behind gets what it missed, change by change; another gets a snapshot.
 *
 * Bounded in bytes; the oldest changes are forgotten first.
 */

import { limits } from '../model/limits.ts';
import type { Revision } from '../model/offset.ts';
import { Queue } from '../model/queue.ts';

/** One committed change. */
export interface EncodedChange {
  readonly revision: Revision;
  /** Number of records. */
  readonly count: number;
  /** As `encodeRecords` made them. */
  readonly bytes: Uint8Array;
}

/** What a list element costs beside its bytes. */
const overheadBytes = 128;

export class ChangeHistory {
  readonly #bytesMax: number;
  readonly #changes = new Queue<EncodedChange>();
  #bytes = 0;
  /** Everything after this revision is kept. */
  #floor: Revision;

  constructor(floor: Revision, bytesMax: number = limits.metadataHistoryBytesMax) {
    this.#floor = floor;
    this.#bytesMax = bytesMax;
  }

  /** Adds the change that was committed last. */
  add(change: EncodedChange): void {
    this.#changes.push(change);
    this.#bytes += change.bytes.length + overheadBytes;
    while (this.#bytes > this.#bytesMax) {
      const oldest = this.#changes.shift();
      if (oldest === undefined) break;
      this.#bytes -= oldest.bytes.length + overheadBytes;
      this.#floor = oldest.revision;
    }
  }

  /** The changes after this revision, in order; undefined if they are not all kept. */
  since(revision: Revision): readonly EncodedChange[] | undefined {
    if (revision < this.#floor) return undefined;
    let from = 0;
    let to = this.#changes.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const change = this.#changes.at(middle);
      if (change !== undefined && change.revision <= revision) from = middle + 1;
      else to = middle;
    }
    return this.#changes.slice(from);
  }
}
