/**
 * The flush journal of a data directory: rounds that touch many logs write their bytes once more,
 * here, and one fdatasync makes them durable. The segments have been written too, unflushed.
 *
 * It is a ring of files of fixed size. When one is full the next is used, and the logs with bytes in
 * the full one are flushed in place behind it; then it is free again. While none is free, rounds
 * flush in place.
 *
 * Invariants: (1) one block is written at a time, so that at most the last one is torn;
 *             (2) sequences rise by one, from file to file in the order of the ring;
 *             (3) a file is written over only once all bytes in it are flushed in place.
 * Truncation and deletion of a log leave a fence in its record: blocks below it are void for it.
 */
import { invariant } from '../../proto/model/invariant.ts';
import { type FileHandle, type FileSystem, writeAll } from '../../proto/ports/file-system.ts';
import type { LogRules } from './core/rules.ts';
import {
  blockBytes,
  blockHeadBytes,
  encodeBlock,
  type JournalEntry,
  paddedBytes,
} from './journal-format.ts';
import { sideBySide } from './side-by-side.ts';

/** A log with bytes in the journal. */
export interface JournalUser {
  /** Flushes in place what has been written so far. */
  flushBehind(): Promise<void>;
}

interface JournalFile {
  readonly path: string;
  handle: FileHandle | undefined;
  /** Sequence of its first block; undefined while it is free. */
  firstSequence: number | undefined;
  users: Set<JournalUser>;
}

/** Where the ring lives and how large it is. */
export interface JournalPlace {
  readonly fs: FileSystem;
  readonly path: string;
  readonly fileBytes: number;
  readonly filesMax: number;
  readonly rules: LogRules;
  /** Makes it durable that blocks below a sequence are not needed any more. */
  saveFloor(sequence: number): Promise<void>;
  onFatal(caught: unknown): void;
}

/** Blocks up to this size are put together in memory: those of rounds that touch many logs. */
const scratchBytes = 1024 * 1024;

/** Logs flushed at once behind the journal: it must leave the disk to the rounds. */
const flushesBehindMax = 2;

/** The file of the ring with a number. */
export function journalFilePath(path: string, number: number): string {
  return `${path}/${String(number).padStart(4, '0')}.journal`;
}

export class FlushJournal {
  readonly #place: JournalPlace;
  readonly #files: JournalFile[];
  #current = 0;
  #position = 0;
  #nextSequence: number;
  #retiring: Promise<void> = Promise.resolve();
  /** Holds the one block that is being written; undefined before the first. */
  #scratch: Buffer | undefined;
  #isClosed = false;

  /** The ring is taken to be free: what it held has been redone. */
  constructor(place: JournalPlace, nextSequence: number) {
    this.#place = place;
    this.#nextSequence = nextSequence;
    this.#files = Array.from({ length: place.filesMax }, (_, number) => ({
      path: journalFilePath(place.path, number),
      handle: undefined,
      firstSequence: undefined,
      users: new Set(),
    }));
  }

  /** The sequence of the next block: the fence for a log that is cut or deleted. */
  get nextSequence(): number {
    return this.#nextSequence;
  }

  /** True if a round of `count` entries with so many bytes can be written at once. */
  hasRoom(bytes: number, count: number): boolean {
    if (this.#isClosed) return false;
    const needed = paddedBytes(blockHeadBytes + 40 * count + bytes);
    if (needed > this.#place.fileBytes) return false;
    return (
      this.#position + needed <= this.#place.fileBytes || this.#next().firstSequence === undefined
    );
  }

  /** Makes the entries durable. A failure is fatal to the node. */
  async write(entries: readonly JournalEntry[], users: Iterable<JournalUser>): Promise<void> {
    const needed = paddedBytes(blockBytes(entries));
    if (this.#position + needed > this.#place.fileBytes) await this.#turn();
    const file = this.#file(this.#current);
    const sequence = this.#nextSequence++;
    file.firstSequence ??= sequence;
    for (const user of users) file.users.add(user);
    const position = this.#position;
    this.#position += needed;

    const isNew = file.handle === undefined;
    file.handle ??= await this.#place.fs.open(file.path, 'create');
    this.#scratch ??= Buffer.allocUnsafeSlow(scratchBytes);
    await writeAll(file.handle, encodeBlock(entries, sequence, this.#scratch), position);
    if (this.#place.rules.flushesJournal) await file.handle.sync();
    if (isNew) await this.#place.fs.syncDirectory(this.#place.path);
  }

  /** Waits until full files are free; the caller has flushed everything in place. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#retiring;
    for (const file of this.#files) {
      await file.handle?.close();
      file.handle = undefined;
    }
  }

  #file(number: number): JournalFile {
    const file = this.#files[number % this.#files.length];
    invariant(file !== undefined, 'the ring has files');
    return file;
  }

  #next(): JournalFile {
    return this.#file(this.#current + 1);
  }

  /** On to the next file; the full one is freed behind. */
  async #turn(): Promise<void> {
    invariant(this.#next().firstSequence === undefined, 'room was asked for before');
    const full = this.#file(this.#current);
    this.#current = (this.#current + 1) % this.#files.length;
    this.#position = 0;
    this.#retiring = this.#retiring
      .then(() => retire(full, this.#place.rules))
      .catch((caught: unknown) => this.#place.onFatal(caught));
    // Its blocks are written over next, and a torn one must not look like the loss of a needed one.
    if (this.#place.rules.raisesFloor) await this.#place.saveFloor(this.#oldestNeeded());
  }

  #oldestNeeded(): number {
    let oldest = this.#nextSequence;
    for (const { firstSequence } of this.#files) {
      if (firstSequence !== undefined && firstSequence < oldest) oldest = firstSequence;
    }
    return oldest;
  }
}

/** Flushes in place everything that the file holds; then the file is free. */
async function retire(file: JournalFile, rules: LogRules): Promise<void> {
  // The newest first.
  const users = rules.freesFlushed ? [...file.users].reverse() : [];
  await sideBySide(users, flushesBehindMax, (user) => user.flushBehind());
  file.users = new Set();
  file.firstSequence = undefined;
}
