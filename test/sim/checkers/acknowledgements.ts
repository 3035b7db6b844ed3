/**
 * S14: when a writer is told `all`, the record lies below the watermark; when it is told `semi-sync`, as
 * many replicas as the topic asks for at the least have stored it.
 */
import type { Acks } from '../../../proto/model/acks.ts';
import type { ReplicaChange, ReplicaChecker } from '../cluster/replica-watch.ts';

export class Acknowledgements implements ReplicaChecker {
  /** The least number of replicas that a topic of this run may ask for. */
  readonly #semiSyncLeast: number;
  readonly #watermarks = new Map<string, number>();
  /** By place and node: the highest end that it ever had stored; a disk may have been lost since. */
  readonly #stored = new Map<string, Map<number, number>>();

  constructor(semiSyncLeast: number) {
    this.#semiSyncLeast = semiSyncLeast;
  }

  changed({ replica }: ReplicaChange): void {
    const { place, node, watermark, stored } = replica;
    if (watermark > (this.#watermarks.get(place) ?? 0)) this.#watermarks.set(place, watermark);
    let byNode = this.#stored.get(place);
    if (byNode === undefined) this.#stored.set(place, (byNode = new Map<number, number>()));
    if (stored > (byNode.get(node) ?? 0)) byNode.set(node, stored);
  }

  /** A writer was told; `place` is `topicId/partition`. Returns what is wrong with that. */
  acknowledged(place: string, offset: number, acks: Acks): string | undefined {
    const watermark = this.#watermarks.get(place) ?? 0;
    if (acks === 'all' && offset >= watermark)
      return `${place}: ${offset} at all, committed were ${watermark}`;
    if (acks !== 'semi-sync' || offset < watermark) return undefined;
    const ends = [...(this.#stored.get(place)?.values() ?? [])];
    const holders = ends.filter((end) => end > offset).length;
    if (holders >= this.#semiSyncLeast) return undefined;
    return `${place}: ${offset} at semi-sync, stored by ${holders} of ${this.#semiSyncLeast}`;
  }
}
