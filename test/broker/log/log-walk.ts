/** A random walk over the logs of one directory, each step checked against the model. */
import type { LogRules } from '../../../broker/log/core/rules.ts';
import type { PartitionLog } from '../../../broker/log/partition-log.ts';
import { leaderEpoch, offset } from '../../../proto/model/offset.ts';
import { SeededRandom } from '../../../proto/ports/memory/seeded-random.ts';
import { decodeBatches } from './compaction/keyed-batches.ts';
import { hold, LogModel, type ModelBatch } from './log-model.ts';
import { keyOf, LogWorld } from './log-world.ts';
import { checkAll, crash, crashWithWrites } from './walk-crash.ts';
import { trouble } from './walk-troubles.ts';
import {
  beginCompaction,
  keyedWalkBatch,
  opaqueWalkBatch,
  readWhole,
  runEvents,
  WalkSequences,
  walkConfig,
  walkLimits,
} from './walk-world.ts';

export class LogWalk {
  readonly world = new LogWorld();
  readonly models: LogModel[] = [];
  readonly random: SeededRandom;
  /** How often something interesting happened: a walk that reaches nothing shows nothing. */
  readonly reached = new Map<string, number>();
  readonly sequences = new WalkSequences();
  #fill = 0;
  readonly logs: number;
  readonly #isKeyed: boolean; // Records have keys and are compacted.

  constructor(seed: number, rules?: LogRules) {
    this.random = new SeededRandom(seed);
    const { world, random } = this;
    if (rules !== undefined) world.rules = rules;
    this.logs = 1 + random.below(9);
    this.#isKeyed = random.below(2) === 0;
    world.config = walkConfig(random, this.#isKeyed);
    world.limits = walkLimits(random);
    const latency = random.fork('latency');
    const scale = random.below(4);
    world.disk.latency = () => latency.below(10) * scale * 0.1;
    world.stores.flushMs = scale * random.below(20) * 0.3;
  }

  async run(steps: number): Promise<void> {
    await this.world.start();
    for (let at = 0; at < this.logs; at++) {
      await this.world.create(at);
      this.models.push(new LogModel());
    }
    for (let step = 0; step < steps; step++) await this.#step();
    await crash(this, 'kill');
  }

  async #step(): Promise<void> {
    const at = this.random.below(this.logs);
    const log = this.world.log(at);
    const model = this.model(at);
    if (this.#isKeyed && this.random.below(15) === 0) return this.#compact(at, log, model);
    const dice = this.random.below(100);
    if (dice < 40) this.append(log, model);
    else if (dice < 45) await this.burst();
    else if (dice < 62) await this.world.settle(this.random.below(30) / 10);
    else if (dice < 80) await this.#read(log, model);
    else if (dice < 85) this.#raiseWatermark(log, model);
    else if (dice < 88) await this.#cut(log, model);
    else if (dice < 90) await this.#deleteRecords(log, model);
    else if (dice < 92) await this.#beginEpoch(log, model);
    else if (dice < 94) await this.world.run(this.world.directory.checkpoint());
    else if (dice < 95) await this.#recreate(at);
    else if (dice < 96) await this.world.settle(300);
    else if (dice < 97) await this.#stop();
    else if (dice < 98) await crashWithWrites(this);
    else await trouble(this, at);
    if (this.world.fatal !== undefined) throw new Error('fatal', { cause: this.world.fatal });
  }

  /** A round that touches many logs goes into the journal. */
  async burst(): Promise<void> {
    for (const [at, model] of this.models.entries()) this.append(this.world.log(at), model);
    await this.world.settle(this.random.below(8));
  }

  append(log: PartitionLog, model: LogModel, count = 1 + this.random.below(4)): void {
    const added: ModelBatch[] = [];
    let end = model.end;
    const epoch = model.epoch + (this.random.below(12) === 0 ? 1 : 0);
    for (let index = 0; index < count; index++) {
      const offsets = 1 + this.random.below(3);
      const producerId = this.random.below(3) === 0 ? this.random.below(3) : -1;
      const baseSequence = this.sequences.take(model, producerId, offsets);
      const wish = { baseOffset: end, epoch, producerId, baseSequence };
      const bytes = this.#isKeyed
        ? keyedWalkBatch(this.random, wish, offsets)
        : opaqueWalkBatch(this.random, wish, { count: offsets, fill: this.#fill++ & 0xff });
      const records = this.#isKeyed ? decodeBatches(bytes)[0]?.records : undefined;
      added.push({
        bytes,
        baseOffset: end,
        endOffset: end + offsets,
        epoch,
        producerId,
        baseSequence,
        ...(records === undefined ? {} : { records }),
      });
      end += offsets;
    }
    const result = log.append(added.map((one) => one.bytes));
    const isAccepted = log.logEndOffset === end && result.kind === 'accepted';
    hold(isAccepted, () => `the append is accepted: ${JSON.stringify(result)}`);
    model.batches.push(...added);
    model.noteStored(log);
  }

  async #read(log: PartitionLog, model: LogModel): Promise<void> {
    model.noteStored(log);
    if (model.end === model.logStart) return;
    const from = model.logStart + this.random.below(model.end - model.logStart);
    const upTo = from + this.random.below(model.end - from + 1);
    const maxBytes = 1 + this.random.below(2000);
    const reading = log.read({ from: offset(from), maxBytes, upTo: offset(upTo) });
    this.count(reading instanceof Promise ? 'read from files' : 'read from memory');
    const read = await this.world.run(Promise.resolve(reading));
    hold(
      read.endOffset <= Math.max(upTo, from),
      () => `${read.endOffset} <= ${Math.max(upTo, from)}`,
    );
    if (model.isCompacted) {
      model.checkCompacted(Buffer.concat(read.buffers), from, read.endOffset);
      return;
    }
    const isSame = Buffer.concat(read.buffers).equals(model.bytesOf(from, read.endOffset));
    hold(isSame, () => `the bytes from ${from} to ${read.endOffset}`);
    const first = model.batches.find((one) => one.endOffset > from);
    if (first !== undefined && first.endOffset <= upTo)
      hold(read.bytes > 0, () => `a batch at ${from} is read`);
  }

  /** To its end, or into a crash at any of its steps. */
  async #compact(at: number, log: PartitionLog, model: LogModel): Promise<void> {
    model.noteStored(log);
    model.isCompacted = true;
    const running = beginCompaction(this.world, this.random, at);
    if (this.random.below(3) === 0) {
      running.catch(() => undefined);
      await runEvents(this.world, this.random.below(80));
      this.count('crash during compaction');
      await crash(this, this.random.below(2) === 0 ? 'kill' : 'power');
      return;
    }
    if (this.random.below(2) === 0) {
      // Other work goes on meanwhile.
      for (let step = 0; step < 3; step++) {
        if (this.random.below(2) === 0) this.append(log, model);
        else await this.#read(log, model);
        await this.world.settle(this.random.below(10) / 10);
      }
    }
    const { kind, passes = 0 } = (await this.world.run(running)) ?? {};
    this.count(passes > 1 ? 'compaction in passes' : `compaction ${kind}`);
    model.noteStored(log);
    model.checkTable(await readWhole(this.world, log));
  }

  #raiseWatermark(log: PartitionLog, model: LogModel): void {
    model.noteStored(log);
    const room = log.storedEnd - model.highWatermark;
    if (room <= 0) return;
    model.highWatermark += this.random.below(room + 1);
    model.compactedBelow = Math.max(model.compactedBelow, model.highWatermark);
    log.setHighWatermark(offset(model.highWatermark));
  }

  async #cut(log: PartitionLog, model: LogModel): Promise<void> {
    const least = Math.max(model.highWatermark, model.logStart);
    const to = least + this.random.below(model.end - least + 2);
    model.cuttingTo = Math.min(model.boundary(to), model.end);
    const cutting = log.truncateTo(offset(to), { keepAside: false });
    if (this.random.below(3) === 0) {
      cutting.catch(() => undefined);
      await runEvents(this.world, this.random.below(80));
      this.count('crash during truncation');
      await crash(this, this.random.below(2) === 0 ? 'kill' : 'power');
      return;
    }
    const reached = await this.world.run(cutting);
    hold(reached === model.cuttingTo, () => `cut to ${model.cuttingTo}, not ${reached}`);
    model.cutTo(model.cuttingTo);
    model.cuttingTo = undefined;
    hold(log.logEndOffset === model.end, () => `${log.logEndOffset} is ${model.end}`);
    hold(log.storedEnd === model.end, () => `${log.storedEnd} is ${model.end}`);
    model.stored = model.end;
    model.checkDerived(log);
    this.count('truncation');
    this.sequences.reset(model);
  }

  async #deleteRecords(log: PartitionLog, model: LogModel): Promise<void> {
    const room = model.highWatermark - model.logStart;
    if (room <= 0) return;
    model.deletingTo = model.logStart + 1 + this.random.below(room);
    const deleting = log.deleteRecords(offset(model.deletingTo));
    if (this.random.below(4) === 0) {
      deleting.catch(() => undefined);
      await runEvents(this.world, this.random.below(60));
      await crash(this, this.random.below(2) === 0 ? 'kill' : 'power');
      return;
    }
    await this.world.run(deleting);
    model.logStart = model.deletingTo;
    model.deletingTo = undefined;
    hold(log.logStartOffset === model.logStart, () => `${log.logStartOffset} is ${model.logStart}`);
    this.count('deleted records');
  }

  async #beginEpoch(log: PartitionLog, model: LogModel): Promise<void> {
    const epoch = leaderEpoch(model.epoch + 1);
    await this.world.run(log.beginEpoch(epoch));
    model.begun.push({ epoch, startOffset: offset(model.end) });
    hold(log.latestEpoch === epoch, () => `${log.latestEpoch} is ${epoch}`);
  }

  /** Another life of the same partition: nothing of the old one may come back. */
  async #recreate(at: number): Promise<void> {
    await this.world.run(this.world.directory.delete([keyOf(at)]));
    await this.world.create(at);
    this.models[at] = new LogModel();
    this.sequences.reset(this.model(at));
    this.count('recreated');
  }

  async #stop(): Promise<void> {
    await this.world.stop();
    for (const model of this.models) model.stored = model.end;
    await this.world.start();
    hold(this.world.directory.recovered.length === 0, () => 'nothing is recovered');
    checkAll(this, () => true, 'clean stop');
    this.count('clean stop');
  }

  model(at: number): LogModel {
    const model = this.models[at];
    if (model === undefined) throw new Error(`there is a model ${at}`);
    return model;
  }

  count(what: string): void {
    this.reached.set(what, (this.reached.get(what) ?? 0) + 1);
  }
}
