/** What the machine itself gives, in the same run: beyond these no broker can be. */
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BenchContext } from '../harness/bench.ts';
import { randomPayloads } from '../harness/payload.ts';
import { median } from '../harness/statistics.ts';
import { BarePipeline } from '../pipeline/bare-pipeline.ts';
import type { Plan } from './plan.ts';

const batchBytes = 512 * 1024;

/** MB/s of plain writes to the disk and of the bare pipeline, both without and with flushes. */
export async function measureCeilings(
  context: BenchContext,
  plan: Plan,
): Promise<Record<string, number>> {
  context.progress('ceilings of the machine');
  const directory = await context.freshDirectory('ceilings');
  const figures: Record<string, number> = {};
  for (const flush of ['os', 'ack'] as const)
    figures[`ceiling_disk_${flush}_MB_per_s`] = await writeSpeed(directory, flush);
  const pipeline = await BarePipeline.start(directory);
  try {
    const count = plan.isQuick ? 400 : 2_000;
    await pipeline.run({ flush: 'os', batchBytes, count });
    for (const flush of ['os', 'ack'] as const) {
      const speeds: number[] = [];
      for (let round = 0; round < 3; round++) {
        const { megabytesPerSecond, faults } = await pipeline.run({ flush, batchBytes, count });
        for (const fault of faults) context.invalid(`bare pipeline: ${fault}`);
        speeds.push(megabytesPerSecond);
      }
      figures[`ceiling_bare_pipeline_${flush}_MB_per_s`] = median(speeds);
    }
  } finally {
    await pipeline.close();
  }
  return figures;
}

/** One file, one writer. */
async function writeSpeed(directory: string, flush: 'os' | 'ack'): Promise<number> {
  const path = join(directory, `disk-${flush}`);
  const [block] = randomPayloads(1, batchBytes);
  const file = await open(path, 'w');
  const writes = 400;
  const began = performance.now();
  for (let index = 0; index < writes; index++) {
    await file.write(block ?? Buffer.alloc(0));
    if (flush === 'ack') await file.datasync();
  }
  const seconds = (performance.now() - began) / 1000;
  await file.close();
  await rm(path);
  return (writes * batchBytes) / 1e6 / seconds;
}
