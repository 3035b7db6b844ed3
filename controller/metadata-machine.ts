/**
 * The state machine behind the quorum: committed entries folded into the metadata image. Every
 * controller runs it and folds the same; only what is committed is ever seen (rule B4.18).
 */
import type { MetadataRecord } from '../proto/generated/highwater/metadata/v1/records.ts';
import { emptyImage, type MetadataImage } from '../proto/metadata/image.ts';
import { decodeRecords, encodeRecords } from '../proto/metadata/records.ts';
import { replay, replaySnapshot } from '../proto/metadata/replay.ts';
import { snapshotRecords } from '../proto/metadata/snapshot.ts';
import { HighwaterError } from '../proto/model/errors.ts';
import { type LogIndex, type Revision, revision } from '../proto/model/offset.ts';
import type { Logger } from '../proto/ports/logger.ts';
import type { LogEntry } from './raft/core/entry.ts';
import type { QuorumStateMachine } from './raft/state-machine.ts';

/** One committed change, with the bytes that it travelled as. */
export interface AppliedChange {
  readonly revision: Revision;
  readonly bytes: Uint8Array;
  readonly image: MetadataImage;
}

export interface MetadataWatcher {
  onChange(change: AppliedChange): void;
  /** Everything was replaced by a snapshot. */
  onRestored(image: MetadataImage): void;
}

export class MetadataMachine implements QuorumStateMachine {
  readonly #logger: Logger;
  readonly #watchers = new Set<MetadataWatcher>();
  #image: MetadataImage = emptyImage;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  get image(): MetadataImage {
    return this.#image;
  }

  watch(watcher: MetadataWatcher): void {
    this.#watchers.add(watcher);
  }

  apply(entries: readonly LogEntry[]): void {
    for (const { index, body } of entries)
      if (body.kind === 'command') this.#fold(index, body.data);
  }

  restore(data: Uint8Array, index: LogIndex): void {
    this.#image = readable(replaySnapshot(revision(index), decodeRecords(data)));
    for (const watcher of this.#watchers) watcher.onRestored(this.#image);
  }

  snapshot(): Uint8Array {
    const parts: Uint8Array[] = [];
    let some: MetadataRecord[] = [];
    for (const one of snapshotRecords(this.#image)) {
      some.push(one);
      if (some.length < recordsAtOnce) continue;
      parts.push(encodeRecords(some));
      some = [];
    }
    parts.push(encodeRecords(some));
    return Buffer.concat(parts);
  }

  #fold(index: LogIndex, bytes: Uint8Array): void {
    const folded = replay(this.#image, revision(index), decodeRecords(bytes));
    if (folded.refused !== undefined) {
      const { kind, reason } = folded.refused;
      this.#logger.error(
        'metadata-change-refused',
        'A committed change is bad and was skipped, as on every controller.',
        { index, kind, reason },
      );
    }
    this.#image = readable(folded);
    for (const watcher of this.#watchers)
      watcher.onChange({ revision: revision(index), bytes, image: this.#image });
  }
}

const recordsAtOnce = 256;

/** A record of a later version ends this node: it cannot know what it would mean to skip it. */
function readable({ image, refused }: ReturnType<typeof replay>): MetadataImage {
  if (refused?.isUnreadable !== true) return image;
  throw new HighwaterError(
    'UNSUPPORTED_VERSION',
    `the metadata has a record that this version cannot read: ${refused.reason}`,
  );
}
