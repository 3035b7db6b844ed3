/**
 * Reads ahead of readers that go through a log in order: while one piece is checked and sent, the
 * thread pool fetches the next. One per data directory, bounded in bytes: beyond that the piece that
 * waited longest is dropped, since its reader has probably gone away.
 *
 * Pieces are raw bytes, checked by the reader like any others (rule B5.4). A piece belongs to the
 * segment object that it was read for: a cut, a roll or a reload makes another, so bytes from before
 * are never taken for bytes from after. A failed read leaves no piece: the reader meets it itself.
 */
import type { HandlePool } from './handle-pool.ts';
import type { Segment } from './segment.ts';
import { readFully } from './segment-scan.ts';

interface Piece {
  readonly segment: Segment;
  readonly position: number;
  readonly bytes: number;
  readonly reading: Promise<Buffer | undefined>;
}

export class ReadAhead {
  readonly #handles: HandlePool;
  readonly #bytesMax: number;
  /** Oldest first; few, since a piece is about as large as a read. */
  #pieces: Piece[] = [];
  #bytes = 0;
  readonly #inFlight = new Set<Promise<unknown>>();

  constructor(handles: HandlePool, bytesMax: number) {
    this.#handles = handles;
    this.#bytesMax = bytesMax;
  }

  /** Bytes that are held, or being read. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Begins to read a stretch of a segment that somebody will want next. */
  start(segment: Segment, position: number, bytes: number): void {
    if (bytes <= 0 || bytes > this.#bytesMax || this.#indexOf(segment, position) >= 0) return;
    const reading = this.#read(segment, position, bytes);
    this.#inFlight.add(reading);
    void reading.then(() => this.#inFlight.delete(reading));
    this.#pieces.push({ segment, position, bytes, reading });
    this.#bytes += bytes;
    while (this.#bytes > this.#bytesMax) void this.#remove(0);
  }

  /** The piece that begins at a position, if there is one; it is the caller's then. */
  take(segment: Segment, position: number): Promise<Buffer | undefined> | undefined {
    const at = this.#indexOf(segment, position);
    return at < 0 ? undefined : this.#remove(at);
  }

  /** Waits for reads in flight; called before the files are closed. */
  async close(): Promise<void> {
    this.#pieces = [];
    this.#bytes = 0;
    await Promise.all(this.#inFlight);
  }

  #indexOf(segment: Segment, position: number): number {
    return this.#pieces.findIndex(
      (piece) => piece.segment === segment && piece.position === position,
    );
  }

  #remove(at: number): Promise<Buffer | undefined> | undefined {
    const [piece] = this.#pieces.splice(at, 1);
    this.#bytes -= piece?.bytes ?? 0;
    return piece?.reading;
  }

  async #read(segment: Segment, position: number, bytes: number): Promise<Buffer | undefined> {
    try {
      const lease = await this.#handles.lease(segment.path, 'write');
      try {
        const piece = Buffer.allocUnsafeSlow(bytes);
        const count = await readFully(lease.handle, piece, position);
        return count === bytes ? piece : undefined;
      } finally {
        lease.release();
      }
    } catch {
      // Whoever wants these bytes reads them again, and is told what is wrong.
      return undefined;
    }
  }
}
