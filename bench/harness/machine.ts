/** The machine under test. Figures without it mean nothing. */
import { mkdir, open, rm, statfs } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { median } from './statistics.ts';

export interface MachineFacts {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGB: number;
  readonly kernel: string;
  readonly node: string;
  readonly dataPath: string;
  /** Median of a few writes of 4 KiB, each flushed. */
  readonly fdatasyncMs: number;
  /** Load of the last minute at the start: other work on the machine spoils figures. */
  readonly loadAverage: number;
}

const fileSystemsInMemory = new Map([
  [0x01021994, 'tmpfs'],
  [0x858458f6, 'ramfs'],
]);

/** Looks at the machine; throws if the data would live in memory. */
export async function readMachineFacts(dataPath: string): Promise<MachineFacts> {
  await mkdir(dataPath, { recursive: true });
  const inMemory = fileSystemsInMemory.get((await statfs(dataPath)).type);
  if (inMemory !== undefined) {
    throw new Error(`${dataPath} lies on ${inMemory}: give a path on a real disk with --data`);
  }
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGB: Math.round(totalmem() / 1e8) / 10,
    kernel: `${type()} ${release()}`,
    node: process.version,
    dataPath,
    fdatasyncMs: await measureFdatasync(dataPath),
    loadAverage: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}

async function measureFdatasync(dataPath: string): Promise<number> {
  const path = join(dataPath, `fdatasync-${process.pid}`);
  const file = await open(path, 'w');
  const times: number[] = [];
  for (let round = 0; round < 5; round++) {
    const started = performance.now();
    await file.write(Buffer.alloc(4096, round), 0, 4096, round * 4096);
    await file.datasync();
    times.push(performance.now() - started);
  }
  await file.close();
  await rm(path);
  return Math.round(median(times) * 1000) / 1000;
}
