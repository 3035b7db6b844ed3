/** What a walk draws by chance: settings, bounds, batches with keys, and passes of compaction. */
import type { CompactionReport } from '../../../broker/log/compaction/log-compactor.ts';
import { IoPace } from '../../../broker/log/io-pace.ts';
import {
  defaultLogConfig,
  type LogConfig,
  type LogLimits,
} from '../../../broker/log/log-config.ts';
import type { PartitionLog } from '../../../broker/log/partition-log.ts';
import type { SeededRandom } from '../../../proto/ports/memory/seeded-random.ts';
import { batch } from './batches.ts';
import { keyedBatch } from './compaction/keyed-batches.ts';
import { hold, type LogModel } from './log-model.ts';
import { keyOf, type LogWorld } from './log-world.ts';

export function walkConfig(random: SeededRandom, isKeyed: boolean): LogConfig {
  const compaction = {
    dirtyRatioMin: random.below(3) * 0.3,
    lagMsMin: 0,
    deleteRetentionMs: random.below(2) * 100,
  };
  return {
    ...defaultLogConfig,
    compaction: isKeyed ? compaction : undefined,
    flush: random.below(4) === 0 ? 'os' : 'ack',
    segmentBytes: 600 + random.below(8) * 700,
  };
}

export function walkLimits(random: SeededRandom): Partial<LogLimits> {
  return {
    reserveBytes: random.below(2) * 100_000,
    stalledMs,
    tailCacheBytes: random.below(3) * 2000,
    journalFileBytes: 4096 * (2 + random.below(4)),
    journalFilesMax: 2 + random.below(2),
    checkpointMs: 20 + random.below(40) ** 2,
    writeBytesMax: 300 + random.below(2000),
    idleHandlesMax: random.below(6),
  };
}

/** A disk that is silent for so long is told of. */
export const stalledMs = 1_000;

/** Where a batch goes, and whose it is. */
export interface WalkBatchWish {
  readonly baseOffset: number;
  readonly epoch: number;
  readonly producerId: number;
  readonly baseSequence: number;
}

/** Few keys, so that most records are replaced sooner or later; some marks, some without a key. */
export function keyedWalkBatch(random: SeededRandom, wish: WalkBatchWish, count: number): Buffer {
  const { baseOffset, epoch, producerId, baseSequence } = wish;
  const records = Array.from({ length: count }, (_, index) => ({
    key: random.below(20) === 0 ? null : `key ${random.below(12)}`,
    value: random.below(4) === 0 ? null : `${baseOffset + index}`.padEnd(random.below(60)),
    timestamp: 1 + random.below(50),
  }));
  const producerEpoch = producerId < 0 ? -1 : 0;
  return keyedBatch(
    { baseOffset, epoch, seal: { producerId, producerEpoch, baseSequence } },
    records,
  );
}

/** Records that are bytes and nothing else. */
export function opaqueWalkBatch(
  random: SeededRandom,
  wish: WalkBatchWish,
  content: { readonly count: number; readonly fill: number },
): Buffer {
  const producerEpoch = wish.producerId < 0 ? -1 : 0;
  return batch({ ...wish, ...content, producerEpoch, payload: random.below(300) });
}

/** Where the producers of each log go on. */
export class WalkSequences {
  readonly #next = new WeakMap<LogModel, Map<number, number>>();

  /** The sequence of a producer's next batch; -1 for one without an id. */
  take(model: LogModel, producerId: number, count: number): number {
    if (producerId < 0) return -1;
    const next = this.#next.get(model) ?? new Map<number, number>();
    this.#next.set(model, next);
    const sequence = next.get(producerId) ?? 0;
    next.set(producerId, sequence + count);
    return sequence;
  }

  /** Producers go on behind their last batch in the log. */
  reset(model: LogModel): void {
    const next = new Map<number, number>();
    for (const one of model.batches) {
      if (one.producerId < 0) continue;
      next.set(one.producerId, one.baseSequence + one.endOffset - one.baseOffset);
    }
    this.#next.set(model, next);
  }
}

/** A pass with much or little memory, fast or slow. */
export function beginCompaction(
  world: LogWorld,
  random: SeededRandom,
  partition: number,
): Promise<CompactionReport | undefined> {
  const pace = new IoPace(world.clock, random.below(2) === 0 ? 1e9 : 200_000);
  const mapBytesMax = random.below(3) === 0 ? 0 : 1024 * 1024;
  const request = { pace, mapBytesMax, mayDropMarks: random.below(4) > 0 };
  return world.directory.compact(keyOf(partition), request);
}

/** All bytes of a log, read as a reader from its beginning gets them. */
export async function readWhole(world: LogWorld, log: PartitionLog): Promise<Buffer> {
  const buffers: Buffer[] = [];
  for (let from = log.logStartOffset; from < log.logEndOffset; ) {
    const request = { from, maxBytes: 4000, upTo: log.logEndOffset };
    const read = await world.run(Promise.resolve(log.read(request)));
    hold(read.endOffset > from, () => `a batch at ${from} is read`);
    buffers.push(...read.buffers);
    from = read.endOffset;
  }
  return Buffer.concat(buffers);
}

/** Lets so many events happen and stops in the middle of whatever they began. */
export async function runEvents(world: LogWorld, events: number): Promise<void> {
  const last = world.time.executedCount + events;
  await world.time.runUntil(() => world.time.executedCount >= last, 1_000);
}
