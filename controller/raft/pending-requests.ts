/**
 * Requests of this node to the quorum that wait for their end. Each ends exactly once: applied, done,
 * or rejected with what is known of its outcome.
 */
import { HighwaterError } from '../../proto/model/errors.ts';
import { limits } from '../../proto/model/limits.ts';
import type { LogIndex } from '../../proto/model/offset.ts';

interface Waiting {
  readonly bytes: number;
  readonly resolve: (index: LogIndex) => void;
  readonly reject: (error: HighwaterError) => void;
}

/** What one request may count for in the bound at the least: its promise and its places in queues. */
const requestBytesMin = 256;

export class PendingRequests {
  readonly #waiting = new Map<number, Waiting>();
  /** Requests that wait for an index to be applied, in the order of the index. */
  #placed: { readonly id: number; readonly index: LogIndex }[] = [];
  #bytes = 0;
  #ids = 0;

  /** A request without an id was refused at once: too many bytes wait already. */
  add(bytes: number): { readonly id: number | undefined; readonly settled: Promise<LogIndex> } {
    const counted = Math.max(bytes, requestBytesMin);
    if (this.#bytes + counted > limits.quorumPendingBytesMax) {
      const error = new HighwaterError('OVERLOADED', 'too many changes wait for the quorum');
      return { id: undefined, settled: Promise.reject(error) };
    }
    const id = ++this.#ids;
    this.#bytes += counted;
    const settled = new Promise<LogIndex>((resolve, reject) => {
      this.#waiting.set(id, { bytes: counted, resolve, reject });
    });
    return { id, settled };
  }

  /** The request ends when `index` is applied. */
  proposed(id: number, index: LogIndex): void {
    // Reads wait for an index that may lie before those of proposals made earlier.
    let at = this.#placed.length;
    while (at > 0 && (this.#placed[at - 1]?.index ?? 0) > index) at--;
    this.#placed.splice(at, 0, { id, index });
  }

  applied(upTo: LogIndex): void {
    const first = this.#placed.findIndex(({ index }) => index > upTo);
    const ended = this.#placed.splice(0, first < 0 ? this.#placed.length : first);
    for (const { id, index } of ended) this.#take(id)?.resolve(index);
  }

  done(id: number, index: LogIndex): void {
    this.#take(id)?.resolve(index);
  }

  reject(id: number, error: HighwaterError): void {
    this.#take(id)?.reject(error);
  }

  /** What has a place in the log and is not applied may be committed by others, or cut. */
  leadershipEnded(): void {
    const placed = this.#placed;
    this.#placed = [];
    for (const { id } of placed) {
      const reason = 'the leadership ended before the change was decided';
      this.#take(id)?.reject(new HighwaterError('OUTCOME_UNKNOWN', reason));
    }
  }

  /** Nothing is decided here any more. */
  end(error: HighwaterError): void {
    const cause = new HighwaterError('OUTCOME_UNKNOWN', error.message, { cause: error });
    for (const id of [...this.#waiting.keys()]) this.#take(id)?.reject(cause);
    this.#placed = [];
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    this.#bytes -= waiting?.bytes ?? 0;
    return waiting;
  }
}
