/**
 * Memory for reads from the files, used again: clearing fresh memory and collecting it costs more
 * than the read itself. One per data directory; free memory is bounded, and beyond the bound it is
 * left to the collector.
 *
 * Invariant: a piece is either free here or lent once. Only its borrower can make it free, once, by
 * saying that nothing refers to it any more; a piece that is never given back is merely collected.
 */

/** A piece of memory with what was read into it. */
export interface LentPiece {
  readonly bytes: Buffer;
  /** Nothing refers to the bytes any more: they are read into again. Only the first call counts. */
  giveBack(): void;
}

/** Sizes are powers of two from here on, so that reads of about the same size share pieces. */
const pieceBytesMin = 64 * 1024;
/** Larger reads are rare and get memory of their own. */
const pieceBytesMax = 2 * 1024 * 1024;
/** Bytes that may be read before anybody asks for them, over all logs. */
const aheadBytesMax = 16 * 1024 * 1024;

export class ReadBuffers {
  readonly #bytesMax: number;
  /** By size; the piece that was given back last is taken first, since the processor's cache has it. */
  readonly #free = new Map<number, Buffer[]>();
  #freeBytes = 0;
  #aheadBytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Bytes that wait to be used again. */
  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** Whether so many bytes may be read ahead; if so, they count until `leaveAhead`. */
  takeAhead(bytes: number): boolean {
    if (this.#aheadBytes + bytes > aheadBytesMax) return false;
    this.#aheadBytes += bytes;
    return true;
  }

  leaveAhead(bytes: number): void {
    this.#aheadBytes -= bytes;
  }

  /** Memory for exactly so many bytes; what it holds is not cleared. */
  lend(bytes: number): LentPiece {
    if (bytes > pieceBytesMax) return { bytes: Buffer.allocUnsafeSlow(bytes), giveBack: nothing };
    const piece = this.#take(sizeFor(bytes));
    let isLent = true;
    return {
      bytes: piece.length === bytes ? piece : piece.subarray(0, bytes),
      giveBack: () => {
        if (isLent) this.#put(piece);
        isLent = false;
      },
    };
  }

  #take(size: number): Buffer {
    const piece = this.#free.get(size)?.pop();
    if (piece === undefined) return Buffer.allocUnsafeSlow(size);
    this.#freeBytes -= size;
    return piece;
  }

  #put(piece: Buffer): void {
    const size = piece.length;
    if (this.#freeBytes + size > this.#bytesMax) return;
    this.#freeBytes += size;
    const same = this.#free.get(size);
    if (same === undefined) this.#free.set(size, [piece]);
    else same.push(piece);
  }
}

function sizeFor(bytes: number): number {
  let size = pieceBytesMin;
  while (size < bytes) size *= 2;
  return size;
}

function nothing(): void {
  // Left to the collector.
}
