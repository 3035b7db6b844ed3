/**
 * Runs many seeds in several processes. What they came to is handed on in the order of the seeds, so that
 * the outcome does not depend on how many processes there were or how fast each was.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { runSeed, type SeedRun } from './seed-run.ts';
import type { RunResult } from './world.ts';

/** Seeds that may be run ahead of one that takes long. */
const aheadMax = 200;
/** For fewer seeds it is not worth making plain JavaScript of the simulator. */
const seedsForPlainCode = 100;
const workerModule = join(import.meta.dirname, 'run.ts');

export interface SeedRange {
  readonly from: number;
  readonly to: number;
  /** Asked before each seed; false: no more of them. */
  goesOn(): boolean;
}

/** What a seed came to, and what it took. */
export interface SeedResult extends RunResult {
  readonly cpuMs: number;
}

/** As many as there are processors, and no more than seeds. */
export function workersFor({ from, to }: SeedRange): number {
  return Math.min(availableParallelism(), to - from + 1);
}

/** What each seed of the range came to, in order. */
export async function* runRange(
  run: SeedRun,
  range: SeedRange,
  workers = workersFor(range),
): AsyncGenerator<SeedResult, void, undefined> {
  if (workers > 1) {
    yield* runInProcesses(run, range, workers);
    return;
  }
  for (let seed = range.from; seed <= range.to && range.goesOn(); seed++)
    yield await runTimed(run, seed);
}

/** A seed that one process gives another. */
export interface SeedOrder {
  readonly run: SeedRun;
  readonly seed: number;
}

/** Runs a seed in this process. */
export async function runTimed(run: SeedRun, seed: number): Promise<SeedResult> {
  const before = process.cpuUsage();
  const result = await runSeed(run, seed);
  const { user, system } = process.cpuUsage(before);
  return { ...result, cpuMs: (user + system) / 1000 };
}

async function* runInProcesses(
  run: SeedRun,
  range: SeedRange,
  count: number,
): AsyncGenerator<SeedResult, void, undefined> {
  const done = new Map<number, SeedResult>();
  let wake = (): void => undefined;
  let failure: Error | undefined;
  let ordered = range.from;
  let taken = range.from;
  let end = range.to;
  const idle: ChildProcess[] = [];
  const order = (): void => {
    while (idle.length > 0 && ordered <= end && ordered < taken + aheadMax) {
      if (!range.goesOn()) {
        end = ordered - 1;
        break;
      }
      const next: SeedOrder = { run, seed: ordered++ };
      idle.pop()?.send(next);
    }
  };
  const module = await moduleFor(range);
  const workers = Array.from({ length: count }, () => startWorker(module));
  for (const worker of workers) {
    worker.on('message', (result: SeedResult) => {
      done.set(result.seed, result);
      idle.push(worker);
      order();
      wake();
    });
    worker.on('exit', (code, signal) => {
      failure ??= new Error(`a process of the simulator ended: ${signal ?? code}`);
      wake();
    });
    idle.push(worker);
  }
  order();
  try {
    while (taken <= end) {
      const result = done.get(taken);
      if (result === undefined) {
        if (failure !== undefined) throw failure;
        await new Promise<void>((resolve) => (wake = resolve));
        continue;
      }
      done.delete(taken++);
      order();
      yield result;
    }
  } finally {
    for (const worker of workers) {
      worker.removeAllListeners('exit');
      worker.disconnect();
    }
  }
}

async function moduleFor({ from, to }: SeedRange): Promise<string> {
  if (to - from < seedsForPlainCode) return workerModule;
  // The workers do without the translator.
  const { plainCode } = await import('./plain-code.ts');
  return plainCode(workerModule);
}

/** With maps and errors kept on the way. */
function startWorker(module: string): ChildProcess {
  return fork(module, ['--worker'], {
    serialization: 'advanced',
    execArgv: module.endsWith('.ts') ? ['--import', 'tsx'] : [],
  });
}
