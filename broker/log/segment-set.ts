/**
 * The ordered segments of one log. Loaded from the folder the first time the log is read or written;
 * an idle log has none of this in memory.
 *
 * Invariant: each segment begins where the one before it ends.
 */
import { HighwaterError } from '../../proto/model/errors.ts';
import { invariant } from '../../proto/model/invariant.ts';
import type { Offset } from '../../proto/model/offset.ts';
import type { FileSystem } from '../../proto/ports/file-system.ts';
import { parseSwapFileName } from './compaction/swap-names.ts';
import { SparseIndex } from './core/sparse-index.ts';
import type { HandlePool } from './handle-pool.ts';
import type { IndexStore } from './index-store.ts';
import type { LogKey } from './log-key.ts';
import type { LogPlace } from './log-record.ts';
import {
  ActiveSegment,
  parseSegmentFileName,
  type SealedSegment,
  type Segment,
  segmentFileName,
} from './segment.ts';
import { scanSegment } from './segment-scan.ts';

/** A segment file as it lies in the folder. */
export interface SegmentFile {
  readonly baseOffset: Offset;
  readonly path: string;
  readonly bytes: number;
}

/** What a set needs of its directory. */
export interface SegmentPlace {
  readonly fs: FileSystem;
  readonly handles: HandlePool;
  readonly indexes: IndexStore;
  readonly key: LogKey;
  /** The log's folder. */
  readonly folder: string;
}

/**
 * The segment files of a folder, oldest first; none if the folder is not there yet. A swap that was
 * not finished counts in the place of what it replaces.
 */
export async function listSegmentFiles(fs: FileSystem, folder: string): Promise<SegmentFile[]> {
  if ((await fs.stat(folder)) === undefined) return [];
  const names = await fs.list(folder);
  const swaps = names.flatMap((name) => {
    const swap = parseSwapFileName(name);
    return swap?.kind === 'swap' ? [{ ...swap, name }] : [];
  });
  const files: SegmentFile[] = [];
  const add = async (name: string, baseOffset: Offset): Promise<void> => {
    const path = `${folder}/${name}`;
    files.push({ baseOffset, path, bytes: (await fs.stat(path))?.bytes ?? 0 });
  };
  for (const name of names) {
    const base = parseSegmentFileName(name);
    if (base === undefined) continue;
    const isReplaced = swaps.some((swap) => base >= swap.baseOffset && base < swap.endOffset);
    if (!isReplaced) await add(name, base);
  }
  for (const swap of swaps) await add(swap.name, swap.baseOffset);
  return files.sort((one, other) => one.baseOffset - other.baseOffset);
}

/** Owned by one partition log. */
export class SegmentSet {
  readonly #place: SegmentPlace;
  readonly #sealed: SealedSegment[];
  #active: ActiveSegment;
  /** Rises when an exchange of files begins and when it ends: what was looked up before is void. */
  version = 0;
  /** Resolves when the exchange that is under way is over. */
  #exchange: Promise<unknown> | undefined;

  private constructor(place: SegmentPlace, sealed: SealedSegment[], active: ActiveSegment) {
    this.#place = place;
    this.#sealed = sealed;
    this.#active = active;
  }

  /** Loads a log whose end is known: after a clean stop, or once recovery has found it. */
  static async load(place: SegmentPlace, end: LogPlace): Promise<SegmentSet> {
    const files = await listSegmentFiles(place.fs, place.folder);
    const sealed: SealedSegment[] = [];
    let active: ActiveSegment | undefined;
    for (const [at, file] of files.entries()) {
      if (file.baseOffset < end.segmentBase) {
        const endOffset = files[at + 1]?.baseOffset ?? end.segmentBase;
        sealed.push({ kind: 'sealed', ...file, endOffset, index: undefined });
      } else if (file.baseOffset === end.segmentBase) {
        active = await loadActive(place, file, end);
      }
      // A file behind the end was written without anybody having been told: recovery removes it.
    }
    if (active === undefined && end.position > 0) throw shorter(place.folder, end, 0);
    active ??= emptySegment(place, end.offset);
    return new SegmentSet(place, sealed, active);
  }

  get active(): ActiveSegment {
    return this.#active;
  }

  /** All of them, oldest first. */
  all(): readonly Segment[] {
    return [...this.#sealed, this.#active];
  }

  get bytes(): number {
    let total = this.#active.bytes;
    for (const segment of this.#sealed) total += segment.bytes;
    return total;
  }

  /** The segment that holds an offset, or would; undefined below the oldest. */
  floor(at: number): Segment | undefined {
    if (at >= this.#active.baseOffset) return this.#active;
    let low = 0;
    let high = this.#sealed.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sealed[middle]?.baseOffset ?? 0) <= at) low = middle + 1;
      else high = middle;
    }
    return this.#sealed[low - 1];
  }

  /** The segment behind another one. */
  after(segment: Segment): Segment | undefined {
    if (segment.kind === 'active') return undefined;
    return this.floor(segment.endOffset);
  }

  /** Seals the active segment and begins the next one; returns the sealed one. */
  roll(): ActiveSegment {
    const full = this.#active;
    invariant(full.bytes > 0, 'an empty segment is not sealed');
    const sealed = full.seal();
    this.#sealed.push(sealed);
    this.#place.indexes.save(this.#place.key, sealed);
    this.#active = emptySegment(this.#place, full.endOffset);
    return full;
  }

  /** Takes segments that end at or below `start` off the old end; the caller removes their files. */
  dropBelow(start: number): SealedSegment[] {
    let count = 0;
    while ((this.#sealed[count]?.endOffset ?? Number.POSITIVE_INFINITY) <= start) count++;
    return this.#sealed.splice(0, count);
  }

  /**
   * Puts one sealed segment in the place of those that hold the same offsets. `change` exchanges the
   * files; who reads meanwhile looks again afterwards. False, with nothing done, if they are not here.
   */
  async exchange(
    old: readonly { readonly baseOffset: Offset; readonly bytes: number }[],
    by: SealedSegment,
    change: () => Promise<void>,
  ): Promise<boolean> {
    const at = this.#sealed.findIndex((segment) => segment.baseOffset === by.baseOffset);
    const present = at < 0 ? [] : this.#sealed.slice(at, at + old.length);
    const isHere = old.every(
      (one, index) =>
        one.baseOffset === present[index]?.baseOffset && one.bytes === present[index]?.bytes,
    );
    if (!isHere || present.at(-1)?.endOffset !== by.endOffset) return false;
    this.version++;
    const changing = change();
    this.#exchange = changing.catch(() => undefined);
    await changing;
    const { key, indexes } = this.#place;
    this.#sealed.splice(at, old.length, by);
    indexes.remove(key, by.baseOffset, by.endOffset);
    indexes.save(key, by);
    this.version++;
    this.#exchange = undefined;
    return true;
  }

  /** Looks something up in the segments and their files; again, if files were exchanged meanwhile. */
  async consistently<Found>(look: () => Promise<Found>): Promise<Found> {
    for (;;) {
      await this.#exchange;
      const { version } = this;
      try {
        const found = await look();
        if (version === this.version) return found;
      } catch (caught) {
        if (version === this.version) throw caught;
      }
    }
  }

  /** Replaces everything from a place on: the log now ends there. The files have been cut already. */
  cutTo(end: LogPlace): void {
    this.#active.release();
    while ((this.#sealed.at(-1)?.baseOffset ?? -1) >= end.segmentBase) {
      const last = this.#sealed.pop();
      if (last !== undefined && last.baseOffset === end.segmentBase) {
        this.#active = reopened(this.#place, last, end);
        return;
      }
    }
    this.#active =
      this.#active.baseOffset === end.segmentBase
        ? reopened(this.#place, this.#active, end)
        : emptySegment(this.#place, end.offset);
  }

  /** Forgets all segments: the log begins anew and empty. The files have been removed already. */
  restart(end: LogPlace): void {
    this.#active.release();
    this.#sealed.length = 0;
    this.#active = emptySegment(this.#place, end.offset);
  }

  /** The index of a segment, read from the store or rebuilt from the heads of its batches. */
  async indexOf(segment: Segment): Promise<SparseIndex> {
    if (segment.index !== undefined) return segment.index;
    const stored = this.#place.indexes.load(this.#place.key, segment);
    const index = stored ?? (await buildIndex(this.#place.handles, segment, segment.bytes));
    // An index of the bytes that were here before an exchange serves its asker alone.
    if (segment.kind === 'active' || !this.#sealed.includes(segment)) return index;
    segment.index = index;
    if (stored === undefined) this.#place.indexes.save(this.#place.key, segment);
    return index;
  }
}

/** The active segment with what lies behind the end gone; the caller has cut the file. */
function reopened(place: SegmentPlace, from: Segment, end: LogPlace): ActiveSegment {
  const index = from.index ?? new SparseIndex();
  index.truncate(end.position);
  const content = { bytes: end.position, endOffset: end.offset, index };
  return new ActiveSegment(
    place.handles,
    { path: from.path, baseOffset: from.baseOffset },
    content,
  );
}

async function loadActive(
  place: SegmentPlace,
  file: SegmentFile,
  end: LogPlace,
): Promise<ActiveSegment> {
  if (file.bytes < end.position) throw shorter(file.path, end, file.bytes);
  const index = await buildIndex(place.handles, file, end.position);
  return new ActiveSegment(place.handles, file, {
    bytes: end.position,
    endOffset: end.offset,
    index,
  });
}

function emptySegment(place: SegmentPlace, baseOffset: Offset): ActiveSegment {
  const path = `${place.folder}/${segmentFileName(baseOffset)}`;
  const content = { bytes: 0, endOffset: baseOffset, index: new SparseIndex() };
  return new ActiveSegment(place.handles, { path, baseOffset }, content);
}

async function buildIndex(
  handles: HandlePool,
  file: { readonly path: string; readonly baseOffset: Offset },
  bytes: number,
): Promise<SparseIndex> {
  const index = new SparseIndex();
  if (bytes === 0) return index;
  const lease = await handles.lease(file.path, 'write');
  try {
    const range = { from: 0, to: bytes, nextOffset: file.baseOffset, epoch: -1, checkCrc: false };
    await scanSegment(lease.handle, range, ({ header, position }) => {
      index.add({
        baseOffset: header.baseOffset,
        position,
        bytes: header.byteLength,
        maxTimestamp: header.maxTimestamp,
      });
      return 'go-on';
    });
  } finally {
    lease.release();
  }
  return index;
}

function shorter(path: string, end: LogPlace, bytes: number): HighwaterError {
  return new HighwaterError(
    'DAMAGED_LOG',
    `${path} has ${bytes} bytes where ${end.position} had been stored.`,
    { facts: { path, bytes, stored: end.position } },
  );
}
