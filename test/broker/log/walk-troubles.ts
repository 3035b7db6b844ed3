/** Rare steps of a walk: what a disk does to a log, what an operator asks of it, and crashes in between. */
import type { LogFailure } from '../../../broker/log/partition-log.ts';
import { offset } from '../../../proto/model/offset.ts';
import {
  allOf,
  failWith,
  hang,
  nth,
  onOperation,
  onPath,
  shortTo,
} from '../../../proto/ports/memory/disk-faults.ts';
import { hold, LogModel } from './log-model.ts';
import type { LogWalk } from './log-walk.ts';
import { keyOf } from './log-world.ts';
import { checkBytes, crash, die, noteStored } from './walk-crash.ts';
import { readDamaged } from './walk-damage.ts';
import { stalledMs } from './walk-world.ts';

type Trouble = (walk: LogWalk, at: number) => Promise<void>;

const troubles: readonly Trouble[] = [
  shortWrites,
  failedFlush,
  silentDisk,
  slowFlush,
  slowFlush,
  fullDisk,
  reserve,
  readDamaged,
  readDamaged,
  retain,
  restart,
  crashInStop,
  remakeInRound,
];

/** One of them. */
export async function trouble(walk: LogWalk, at: number): Promise<void> {
  await troubles[walk.random.below(troubles.length)]?.(walk, at);
}

/** The disk takes a part of each write. */
async function shortWrites(walk: LogWalk, at: number): Promise<void> {
  const { world, random } = walk;
  const fault = world.disk.faults.add(onOperation('write'), shortTo(1 + random.below(200)));
  walk.append(world.log(at), walk.model(at));
  if (random.below(2) === 0) await walk.burst();
  await world.settle(50);
  fault.remove();
  if (fault.hitCount > 0) walk.count('short write');
}

/** A flush fails: whatever is told to be stored has to survive the loss of what the kernel held. */
async function failedFlush(walk: LogWalk, at: number): Promise<void> {
  const { world, random } = walk;
  const which = allOf(onOperation('sync'), nth(1 + random.below(3)));
  const fault = world.disk.faults.add(which, failWith('EIO'));
  walk.append(world.log(at), walk.model(at));
  if (random.below(2) === 0) await walk.burst();
  await world.settle(100);
  fault.remove();
  if (fault.hitCount === 0) return;
  walk.count('flush failed');
  await crash(walk, 'power');
}

/** A flush does not end: it is told, and then ends the node. */
async function silentDisk(walk: LogWalk, at: number): Promise<void> {
  const { world, random } = walk;
  world.stalledMs = 0;
  const fault = world.disk.faults.add(onOperation('sync'), hang);
  walk.append(world.log(at), walk.model(at));
  // Without a flush for each append the first one is that of a checkpoint.
  await world.time.runUntil(() => fault.hitCount > 0, 4 * stalledMs);
  await world.settle(3 * stalledMs);
  if (fault.hitCount > 0) {
    hold(world.stalledMs >= stalledMs, () => 'B5.9 a silent disk is told');
    hold(world.fatal !== undefined, () => 'B5.9 a silent disk ends the node');
    walk.count('disk silent');
  }
  await crash(walk, random.below(2) === 0 ? 'kill' : 'power', fault);
}

/** Segments fill up behind a flush that takes its time, and then the power fails. */
async function slowFlush(walk: LogWalk, at: number): Promise<void> {
  const { world, random } = walk;
  const fault = world.disk.faults.add(onOperation('sync'), hang);
  for (let left = 4 + random.below(8); left > 0; left--) {
    walk.append(world.log(at), walk.model(at));
    await world.settle(random.below(4));
  }
  await crash(walk, 'power', fault);
  await checkBytes(walk, at);
}

/** A write fails half done: what is told to be lost is gone, and service resumes with the space. */
async function fullDisk(walk: LogWalk, at: number): Promise<void> {
  const { world, random, models } = walk;
  const failed = new Set<number>();
  for (const [number, model] of models.entries()) {
    const onFailure = ({ logEndOffset }: LogFailure): void => {
      failed.add(number);
      model.failedAt(logEndOffset);
    };
    world.log(number).listen({ onProgress: () => undefined, onFailure });
  }
  await world.settle(50);
  world.disk.capacityBytes = world.disk.usedBytes + random.below(1_000);
  if (world.log(at).refusalOf(2_000) === undefined) walk.append(world.log(at), walk.model(at));
  await world.settle(100);
  if (failed.size > 0) walk.count('disk full');
  const isOver = random.below(2) === 0;
  if (isOver) world.disk.capacityBytes = 2 ** 40;
  if (isOver && world.fatal === undefined) await serviceResumes(walk);
  for (const number of models.keys()) world.log(number).listen(undefined);
  if (isOver && world.fatal === undefined) return;
  world.disk.capacityBytes = 2 ** 40;
  await crash(walk, random.below(2) === 0 ? 'kill' : 'power');
}

async function serviceResumes(walk: LogWalk): Promise<void> {
  const { world } = walk;
  for (const [at, model] of walk.models.entries()) {
    const log = world.log(at);
    for (let tries = 0; log.refusalOf(10_000) !== undefined; tries++) {
      hold(tries < 10, () => `B5.3 service resumes: ${log.refusalOf(10_000)}`);
      await world.settle(1_100);
    }
    walk.sequences.reset(model);
    model.noteEpochs(log);
  }
}

/** Little is left above the reserve: appends beyond it are refused, and none that is accepted fails. */
async function reserve(walk: LogWalk, at: number): Promise<void> {
  const { world, random } = walk;
  const { reserveBytes = 0 } = world.limits;
  const log = world.log(at);
  const model = walk.model(at);
  if (reserveBytes === 0) return;
  await world.settle(50);
  const room = random.below(3_000);
  world.disk.capacityBytes = world.disk.usedBytes + reserveBytes + room;
  await world.settle(1_100);
  log.refusalOf(1);
  await world.settle(20);
  let accepted = 0;
  while (log.refusalOf(700) === undefined) {
    const before = log.unstoredBytes;
    walk.append(log, model, 1);
    accepted += log.unstoredBytes - before;
    hold(accepted <= room + 700, () => `B5.3 the reserve is kept: ${accepted} of ${room}`);
  }
  walk.count('reserve kept');
  world.disk.capacityBytes = 2 ** 40;
  await serviceResumes(walk);
}

/** Retention by size or by age. */
async function retain(walk: LogWalk, at: number): Promise<void> {
  const { world, random } = walk;
  const log = world.log(at);
  const model = walk.model(at);
  const { config } = log;
  const isByAge = random.below(3) === 0;
  const wish = isByAge ? { retentionMs: 0 } : { retentionBytes: random.below(3_000) };
  log.configure({ ...config, ...wish });
  await world.run(log.retain());
  log.configure(config);
  if (log.logStartOffset === model.logStart) return;
  hold(
    log.logStartOffset <= model.highWatermark,
    () => `B2.11 retention stays below the watermark: ${log.logStartOffset}`,
  );
  model.logStart = log.logStartOffset;
  walk.count('retained');
}

/** The leader no longer has what comes next: the log begins anew further on. */
async function restart(walk: LogWalk, at: number): Promise<void> {
  const { world, random } = walk;
  const model = new LogModel();
  model.logStart = walk.model(at).end + random.below(5);
  model.highWatermark = model.logStart;
  model.stored = model.logStart;
  await world.run(world.log(at).resetTo(offset(model.logStart)));
  walk.models[at] = model;
  walk.sequences.reset(model);
  walk.count('begun anew');
}

/** Dies in the middle of a clean stop: the next start finds a whole mark or none. */
async function crashInStop(walk: LogWalk): Promise<void> {
  const { world, random } = walk;
  await world.settle(50);
  noteStored(walk);
  world.directory.close({ brokerEpoch: undefined }).catch(() => undefined);
  const mark = allOf(onOperation('write', 'sync', 'rename'), onPath(/clean-stop/));
  const fault = world.disk.faults.add(allOf(mark, nth(1 + random.below(3))), hang);
  await world.settle(500);
  await die(walk, random.below(2) === 0 ? 'kill' : 'power', fault);
  walk.count('crash in a stop');
}

/** A log is made anew while a block of the journal is in flight, and the power fails with it. */
async function remakeInRound(walk: LogWalk, at: number): Promise<void> {
  const { world, random } = walk;
  await walk.burst();
  await world.run(world.directory.delete([keyOf(at)]));
  const journal = allOf(onOperation('sync'), onPath(/\.journal$/));
  const fault = world.disk.faults.add(journal, hang);
  for (const [other, model] of walk.models.entries()) {
    if (other !== at) walk.append(world.log(other), model);
  }
  await world.settle(5);
  await world.create(at);
  walk.models[at] = new LogModel();
  walk.sequences.reset(walk.model(at));
  if (fault.hitCount > 0) walk.count('made anew in a round');
  await crash(walk, 'power', fault);
  await walk.burst();
  await world.settle(random.below(30));
  await crash(walk, 'power');
}
