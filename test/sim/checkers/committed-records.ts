/**
 * Everything that was ever below a watermark, once and for all: every replica has the same batches
 * below its own (S3, S6, S7), and a new leader has all of it (S1).
 */

import { offset } from '../../../proto/model/offset.ts';
import { readBatchHeader } from '../../../proto/wire/batch-header.ts';
import type { ReplicaChange, ReplicaChecker, SeenReplica } from '../cluster/replica-watch.ts';
import { Violation, type World } from '../world.ts';

interface CommittedBatch {
  readonly baseOffset: number;
  readonly endOffset: number;
  readonly stamp: string;
}

interface CommittedPartition {
  /** By base offset. */
  readonly batches: Map<number, CommittedBatch>;
  /** Where the next batch begins. */
  end: number;
  /** The highest watermark that any replica has had. */
  watermark: number;
  /** The highest epoch that anybody has led. */
  epoch: number;
}

export class CommittedRecords implements ReplicaChecker {
  readonly #world: World;
  readonly #isRewritten: (place: string) => boolean;
  readonly #partitions = new Map<string, CommittedPartition>();

  /** `isRewritten`: compaction makes batches anew, each replica for itself; then only offsets are compared. */
  constructor(world: World, isRewritten: (place: string) => boolean = () => false) {
    this.#world = world;
    this.#isRewritten = isRewritten;
  }

  /** The highest watermark of a partition so far. */
  watermark(place: string): number {
    return this.#partitions.get(place)?.watermark ?? 0;
  }

  changed({ replica, before }: ReplicaChange): void {
    const known = this.#of(replica.place);
    const { role, watermark, end, node, place, driver } = replica;
    const isNew = role.kind === 'leader' && before?.role !== role;
    const isUnclean = driver.state.metadata?.uncleanEpoch !== undefined;
    // Whoever learns late that it was elected may lack what a later epoch has committed.
    const isLatest = role.kind === 'leader' && role.epoch >= known.epoch;
    if (isLatest) known.epoch = role.epoch;
    if (isNew && isLatest && end < known.watermark && !isUnclean)
      throw new Violation(
        'leader-completeness',
        `node ${node} leads ${place} with ${end} records, ${known.watermark} were committed`,
      );
    if (watermark > known.watermark) known.watermark = watermark;
    const from = before?.watermark ?? 0;
    if (watermark > from && !this.#isRewritten(replica.place))
      this.#compare(replica, from, watermark);
  }

  #compare(replica: SeenReplica, from: number, to: number): void {
    for (let at = from; at < to; ) {
      const read = replica.driver.log.read(offset(at), { bytesMax: 1_000_000, below: offset(to) });
      if (read instanceof Promise) {
        const start = at;
        read.then(
          (batches) => this.#later(() => this.#compareFrom(replica, batches, start, to)),
          () => this.#world.reach('comparison of a dead replica'),
        );
        return;
      }
      const next = this.#take(replica, read, to);
      if (next <= at) return;
      at = next;
    }
  }

  #compareFrom(replica: SeenReplica, batches: readonly Buffer[], from: number, to: number): void {
    const next = this.#take(replica, batches, to);
    if (next > from && next < to) this.#compare(replica, next, to);
  }

  /** Compares what was read; returns where the next batch begins. */
  #take(replica: SeenReplica, batches: readonly Buffer[], to: number): number {
    const known = this.#of(replica.place);
    let next = 0;
    for (const bytes of batches) {
      for (let at = 0; at < bytes.length; ) {
        const header = readBatchHeader(bytes, at);
        if (header.kind !== 'batch')
          throw new Violation(
            'committed-records',
            `node ${replica.node} ${replica.place}: no batch where one was committed`,
          );
        at += header.byteLength;
        next = header.lastOffset + 1;
        if (next > to) continue;
        const { baseOffset } = header;
        const stamp = `${header.crc} epoch ${header.leaderEpoch}`;
        const committed = known.batches.get(baseOffset);
        if (committed === undefined && baseOffset === known.end) {
          known.batches.set(baseOffset, { baseOffset, endOffset: next, stamp });
          known.end = next;
        } else if (
          committed !== undefined &&
          (committed.stamp !== stamp || committed.endOffset !== next)
        ) {
          throw new Violation(
            'committed-records',
            `node ${replica.node} ${replica.place} has ${stamp} at ${baseOffset}, committed was ${committed.stamp}`,
          );
        } else if (committed === undefined && baseOffset < known.end) {
          throw new Violation(
            'committed-records',
            `node ${replica.node} ${replica.place} begins a batch at ${baseOffset}, inside a committed one`,
          );
        }
      }
    }
    return next;
  }

  /** What is found outside an event ends the run after it. */
  #later(work: () => void): void {
    try {
      work();
    } catch (caught) {
      if (!(caught instanceof Violation)) throw caught;
      this.#world.fail(caught.invariant, caught.message);
    }
  }

  #of(place: string): CommittedPartition {
    let known = this.#partitions.get(place);
    if (known === undefined) {
      known = { batches: new Map(), end: 0, watermark: 0, epoch: 0 };
      this.#partitions.set(place, known);
    }
    return known;
  }
}
