/** Crashes of a walk: the process or the machine dies, perhaps twice, and the next start is checked. */
import type { FaultRule } from '../../../proto/ports/memory/disk-faults.ts';
import { hold } from './log-model.ts';
import type { LogWalk } from './log-walk.ts';
import { damageStored } from './walk-damage.ts';
import { readWhole } from './walk-world.ts';

const modes = ['drop', 'keep', 'prefix', 'random'] as const;

/** What each log says to be stored at this moment has to survive. */
export function noteStored(walk: LogWalk): void {
  for (const [at, model] of walk.models.entries()) model.noteStored(walk.world.log(at));
}

/** Dies at this moment, and starts again. */
export async function crash(
  walk: LogWalk,
  kind: 'kill' | 'power',
  fault?: FaultRule,
): Promise<void> {
  noteStored(walk);
  await die(walk, kind, fault);
}

/**
 * Dies by a kill, which leaves what was written, or by a power loss; starts again and checks. What the
 * disk did to the dead process ends with it.
 */
export async function die(walk: LogWalk, kind: 'kill' | 'power', fault?: FaultRule): Promise<void> {
  const { world, random } = walk;
  const isOs = world.config.flush === 'os';
  const mode = modes[random.below(4)] ?? 'drop';
  if (kind === 'kill') world.kill();
  else world.powerLoss(random, mode);
  fault?.remove();
  walk.count(`crash by ${kind}`);
  if (world.usesJournal) walk.count('journal in use');
  const damage = kind === 'kill' && random.below(4) === 0 ? damageStored(walk) : undefined;
  if (random.below(5) === 0) {
    // Once more on the way up. What had been redone or cut is redone or cut again.
    await world.startAndDie(random.below(60));
    if (kind === 'kill') world.kill();
    else world.powerLoss(random, mode);
    walk.count('crash during start');
  }
  await world.start();
  await damage?.checkStart();
  for (const report of world.directory.recovered) {
    walk.count(`recovered ${report.verdict}`);
    // Only unflushed writes that reached the disk out of order look like damage.
    const isOrdered = kind === 'kill' || mode === 'drop' || mode === 'keep';
    const model = walk.model(report.key.partition);
    const isAllStored = !isOs && model.stored === model.end;
    const isHarmed = damage?.partition === report.key.partition;
    hold(
      report.verdict !== 'damaged' || isHarmed || !(isOrdered || isAllStored),
      () => `B4.15 whole bytes are no damage: ${kind} ${mode} ${JSON.stringify(report)}`,
    );
  }
  const isKept = (at: number): boolean => (kind === 'kill' || !isOs) && damage?.partition !== at;
  checkAll(walk, isKept, `${kind} ${mode}`);
  const at = random.below(walk.logs);
  const model = walk.model(at);
  if (model.isCompacted || random.below(2) === 0) await checkBytes(walk, at);
  // What was found at a start is stored: it has to be there after the power is lost at once.
  if (random.below(8) > 0) return;
  world.powerLoss(random, 'drop');
  await world.start();
  checkAll(walk, () => true, 'power lost again');
}

/** What is left of a log is what was appended: byte for byte, or once compacted the same table. */
export async function checkBytes(walk: LogWalk, at: number): Promise<void> {
  const { world } = walk;
  const log = world.log(at);
  const model = walk.model(at);
  const read = await readWhole(world, log);
  if (model.isCompacted) {
    model.checkTable(read);
    return;
  }
  const isSame = read.equals(model.bytesOf(log.logStartOffset, log.logEndOffset));
  hold(isSame, () => `S24 the very bytes are left: ${log.logStartOffset} to ${log.logEndOffset}`);
}

/** Every log holds what it said to be stored, and what is derived from it agrees with it. */
export function checkAll(walk: LogWalk, isStoredKept: (at: number) => boolean, how: string): void {
  const { world, models } = walk;
  for (const [at, model] of models.entries()) {
    const log = world.log(at);
    try {
      model.checkAfterCrash(log, isStoredKept(at));
      model.checkDerived(log);
    } catch (caught) {
      const report = world.directory.recovered.find((one) => one.key.partition === at);
      const facts = `log ${at} after ${how}: ${JSON.stringify(report)}`;
      throw new Error(facts, { cause: caught });
    }
    walk.sequences.reset(model);
  }
}

/** An append to some logs is under way, then the process or the machine dies. */
export async function crashWithWrites(walk: LogWalk): Promise<void> {
  const { world, random, models } = walk;
  for (const [at, model] of models.entries()) {
    if (random.below(2) === 0) walk.append(world.log(at), model);
  }
  if (random.below(2) === 0) await walk.burst();
  await world.settle(random.below(40) / 10);
  await crash(walk, random.below(2) === 0 ? 'kill' : 'power');
}
