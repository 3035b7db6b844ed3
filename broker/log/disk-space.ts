/**
 * Whether there is room for an append, asked before it is accepted, so that a full disk is a clean
 * refusal and not a failed write (rule B5.3). The disk is asked now and then; between two answers
 * what was appended is subtracted. Nothing runs while nothing is appended.
 */
import type { Clock } from '../../proto/ports/clock.ts';
import type { FileSystem } from '../../proto/ports/file-system.ts';

/** How old an answer may be before the next append asks again. */
const answerMsMax = 1_000;

/** One per data directory. */
export class DiskSpace {
  readonly #fs: FileSystem;
  readonly #clock: Clock;
  readonly #path: string;
  readonly #reserveBytes: number;
  #free: number;
  #askedAt: number;
  #isAsking = false;

  private constructor(
    fs: FileSystem,
    clock: Clock,
    disk: { readonly path: string; readonly reserveBytes: number; readonly free: number },
  ) {
    this.#fs = fs;
    this.#clock = clock;
    this.#path = disk.path;
    this.#reserveBytes = disk.reserveBytes;
    this.#free = disk.free;
    this.#askedAt = clock.now();
  }

  static async watch(
    fs: FileSystem,
    clock: Clock,
    disk: { readonly path: string; readonly reserveBytes: number },
  ): Promise<DiskSpace> {
    return new DiskSpace(fs, clock, { ...disk, free: await fs.freeBytes(disk.path) });
  }

  /** Free bytes by the last answer, less what was appended since. */
  get free(): number {
    return this.#free;
  }

  /** True if the bytes leave the reserve untouched. */
  hasRoom(bytes: number): boolean {
    if (this.#clock.now() - this.#askedAt >= answerMsMax) this.#ask();
    return this.#free - bytes >= this.#reserveBytes;
  }

  /** Bytes for which there was room are about to be written. */
  use(bytes: number): void {
    this.#free -= bytes;
  }

  /** The disk said that it is full: nothing is taken until it was asked again. */
  isFull(): void {
    this.#free = 0;
    this.#ask();
  }

  #ask(): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    this.#fs
      .freeBytes(this.#path)
      .then(
        (free) => {
          this.#free = free;
        },
        () => {
          // Without an answer the estimate stands; a failing disk shows itself at the next write.
        },
      )
      .finally(() => {
        this.#isAsking = false;
        this.#askedAt = this.#clock.now();
      });
  }
}
