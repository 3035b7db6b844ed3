/**
 * The pieces behind those that sequential readers were given last, read while these are checked and
 * sent. A piece that is asked for is checked then, as any other; one that nobody asks for is given back.
 *
 * Invariant: of all logs together no more is held than the budget of their buffers allows.
 */
import type { LogPlace } from './log-record.ts';
import type { LentPiece, ReadBuffers } from './read-buffers.ts';

/** What was read: so many bytes of a piece. */
export interface ReadPiece {
  readonly piece: LentPiece;
  readonly count: number;
}

interface Ahead {
  readonly wanted: number;
  /** Undefined if it could not be read: whoever needs it tries by himself, and hears why. */
  readonly read: Promise<ReadPiece | undefined>;
}

/** Readers of one log that are served at once. */
const readersMax = 4;

/** Owned by one log's reader. */
export class ReadAhead {
  readonly #buffers: ReadBuffers;
  /** By the place where each begins; oldest first. */
  readonly #pieces = new Map<string, Ahead>();

  constructor(buffers: ReadBuffers) {
    this.#buffers = buffers;
  }

  /** Begins to read the piece at a place, if there is room for it. */
  begin(place: LogPlace, wanted: number, read: () => Promise<ReadPiece>): void {
    const name = nameOf(place);
    if (this.#pieces.has(name) || !this.#buffers.takeAhead(wanted)) return;
    this.#pieces.set(name, { wanted, read: read().catch(() => undefined) });
    const [oldest] = this.#pieces.keys();
    if (this.#pieces.size > readersMax && oldest !== undefined) this.#drop(oldest);
  }

  /** The piece that begins at the place, which belongs to the caller then; undefined if there is none. */
  take(place: LogPlace): Promise<ReadPiece | undefined> | undefined {
    const ahead = this.#pieces.get(nameOf(place));
    if (ahead === undefined) return undefined;
    this.#pieces.delete(nameOf(place));
    this.#buffers.leaveAhead(ahead.wanted);
    return ahead.read;
  }

  /** What was read is void, or nobody will ask for it. */
  clear(): void {
    for (const name of this.#pieces.keys()) this.#drop(name);
  }

  #drop(name: string): void {
    const ahead = this.#pieces.get(name);
    this.#pieces.delete(name);
    void ahead?.read.then((found) => {
      found?.piece.giveBack();
      this.#buffers.leaveAhead(ahead.wanted);
    });
  }
}

function nameOf({ segmentBase, position }: LogPlace): string {
  return `${segmentBase}/${position}`;
}
