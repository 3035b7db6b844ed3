/** Runs one bench from its arguments to its exit code. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { BenchArguments } from './arguments.ts';
import type { Bench, BenchContext } from './bench.ts';
import { readMachineFacts } from './machine.ts';
import { makeReport, renderReport } from './report.ts';

/**
 * Resolves to the exit code: 0 for a valid run, whether or not its goals were met; 1 for one that is
 * not valid. A bench that throws is not valid and has no report.
 */
export async function runBench(bench: Bench, options: BenchArguments): Promise<number> {
  const machine = await readMachineFacts(resolve(options.dataPath));
  const directories = await openDirectories(machine.dataPath);
  const invalid: string[] = [];
  const started = performance.now();
  const context: BenchContext = {
    isQuick: options.isQuick,
    progress(text) {
      const seconds = ((performance.now() - started) / 1000).toFixed(1).padStart(6);
      process.stderr.write(`${seconds} s  ${bench.name}: ${text}\n`);
    },
    freshDirectory: directories.make,
    invalid(reason) {
      invalid.push(reason);
      context.progress(`not valid: ${reason}`);
    },
  };
  try {
    const report = makeReport(bench, await bench.run(context), { machine, invalid });
    for (const reason of report.invalid) process.stderr.write(`not valid: ${reason}\n`);
    process.stdout.write(
      `${options.isJson ? JSON.stringify(report) : renderReport(bench, report)}\n`,
    );
    return report.valid ? 0 : 1;
  } finally {
    await directories.removeAll();
  }
}

/** All data of one run below one directory. */
async function openDirectories(dataPath: string): Promise<{
  readonly make: (purpose: string) => Promise<string>;
  readonly removeAll: () => Promise<void>;
}> {
  const root = await mkdtemp(join(dataPath, 'run-'));
  let count = 0;
  return {
    async make(purpose) {
      const path = join(root, `${count++}-${purpose}`);
      await mkdir(path, { recursive: true });
      return path;
    },
    removeAll: () => rm(root, { recursive: true, force: true }),
  };
}
