/**
 * One file of an in-memory disk, with two images: what processes read (the page cache) and what is
 * certainly on the platter. In between lie the unsynced changes in the order they were made; a power
 * loss keeps, drops or tears each of them.
 */
import type { Random } from '../random.ts';
import { GrowableBytes } from './growable-bytes.ts';

/**
 * What a power loss does to unsynced changes. `drop`: all are lost. `keep`: none is. `prefix`: the
 * disk wrote them in order up to some point, the last one torn. `random`: each is kept, dropped or
 * torn by sectors on its own, and the file may have its later length with zeros in it.
 */
export type CrashMode = 'drop' | 'keep' | 'prefix' | 'random';

interface UnsyncedChange {
  readonly sequence: number;
  readonly kind: 'write' | 'resize';
  /** Where the bytes go, or the length after a resize. */
  readonly position: number;
  readonly bytes: Uint8Array;
  /** A failed fsync covered it: later fsyncs pass over it although they resolve (fsyncgate). */
  isUndefined: boolean;
}

const nothing = new Uint8Array(0);
/** Unsynced bytes of one file beyond which the kernel writes the oldest back by itself. */
const writebackBytes = 64 * 1024 * 1024;

export class MemoryFile {
  readonly kind = 'file';
  modifiedMs = 0;
  /** False once it is removed or replaced: it takes up no space although handles still read it. */
  isLinked = true;
  #visible = new GrowableBytes();
  #synced = new GrowableBytes();
  #unsynced: UnsyncedChange[] = [];
  #unsyncedBytes = 0;
  #sequence = 0;

  get size(): number {
    return this.#visible.length;
  }

  get unsyncedBytes(): number {
    return this.#unsyncedBytes;
  }

  /** Changes up to this number were made so far: what a sync that starts at this moment covers. */
  get sequence(): number {
    return this.#sequence;
  }

  read(target: Uint8Array, position: number): number {
    return this.#visible.read(target, position);
  }

  /** `bytes` becomes the file's own and must not change any more. */
  write(bytes: Uint8Array, position: number): void {
    this.#visible.write(bytes, position);
    this.#remember('write', bytes, position);
  }

  resize(length: number): void {
    this.#visible.resize(length);
    this.#remember('resize', nothing, length);
  }

  /** Makes the changes up to a sequence durable, except those that a failed sync has given up. */
  sync(upTo: number): void {
    const rest: UnsyncedChange[] = [];
    for (const change of this.#unsynced) {
      if (change.isUndefined || change.sequence > upTo) rest.push(change);
      else this.#harden(change);
    }
    this.#unsynced = rest;
  }

  /** A sync failed: the changes it covered stay visible, and no later sync writes them. */
  giveUp(upTo: number): void {
    for (const change of this.#unsynced) {
      if (change.sequence <= upTo) change.isUndefined = true;
    }
  }

  /** The power is lost: leaves one image of those that the contract allows. */
  crash(random: Random, mode: CrashMode): void {
    const later = this.#visible.length;
    const sector = random.below(2) === 0 ? 512 : 4096;
    const kept = mode === 'prefix' ? random.below(this.#unsynced.length + 1) : 0;
    for (const [index, change] of this.#unsynced.entries()) {
      if (mode === 'keep' || (mode === 'prefix' && index < kept)) apply(this.#synced, change);
      else if (mode === 'prefix' && index === kept) tearTail(this.#synced, change, sector, random);
      else if (mode === 'random') applyByChance(this.#synced, change, sector, random);
    }
    if (mode === 'random' && later > this.#synced.length && random.below(4) === 0) {
      this.#synced.resize(later); // The length was journalled and the bytes were not.
    }
    this.#restart(this.#synced.copy());
  }

  /** What processes read. */
  content(): Buffer {
    return this.#visible.copy();
  }

  /** What is there after a power loss at the least. */
  syncedContent(): Buffer {
    return this.#synced.copy();
  }

  /** Damage from below: both images become these bytes, and nothing is unsynced. */
  replace(content: Uint8Array): void {
    this.#restart(content);
  }

  #restart(content: Uint8Array): void {
    this.#unsynced = [];
    this.#unsyncedBytes = 0;
    this.#synced = new GrowableBytes();
    this.#synced.write(content, 0);
    this.#visible = new GrowableBytes();
    this.#visible.write(content, 0);
  }

  #remember(kind: UnsyncedChange['kind'], bytes: Uint8Array, position: number): void {
    this.#sequence++;
    this.#unsynced.push({ sequence: this.#sequence, kind, position, bytes, isUndefined: false });
    this.#unsyncedBytes += bytes.length;
    while (this.#unsyncedBytes > writebackBytes) {
      const oldest = this.#unsynced.shift();
      if (oldest === undefined) break;
      this.#harden(oldest);
    }
  }

  #harden(change: UnsyncedChange): void {
    apply(this.#synced, change);
    this.#unsyncedBytes -= change.bytes.length;
  }
}

function apply(image: GrowableBytes, change: UnsyncedChange): void {
  if (change.kind === 'write') image.write(change.bytes, change.position);
  else image.resize(change.position);
}

/** Keeps the first sectors of a write, the way a disk that was writing in order stops. */
function tearTail(
  image: GrowableBytes,
  change: UnsyncedChange,
  sector: number,
  random: Random,
): void {
  if (change.kind === 'resize') return;
  const cut = random.below(change.bytes.length + 1);
  const end = Math.max(0, cut - ((change.position + cut) % sector));
  if (end > 0) image.write(change.bytes.subarray(0, end), change.position);
}

function applyByChance(
  image: GrowableBytes,
  change: UnsyncedChange,
  sector: number,
  random: Random,
): void {
  const fate = random.below(3);
  if (fate === 0) return;
  if (fate === 1 || change.kind === 'resize') apply(image, change);
  else tearSectors(image, change, sector, random);
}

/** Keeps some sectors of a write and not others. */
function tearSectors(
  image: GrowableBytes,
  change: UnsyncedChange,
  sector: number,
  random: Random,
): void {
  let from = 0;
  while (from < change.bytes.length) {
    const to = Math.min(change.bytes.length, from + sector - ((change.position + from) % sector));
    const bytes = change.bytes.subarray(from, to);
    if (random.below(2) === 0) image.write(bytes, change.position + from);
    from = to;
  }
}
