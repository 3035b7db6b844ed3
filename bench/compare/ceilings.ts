/** What the machine itself gives, in the same run: beyond these no broker can be. */
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BenchContext } from '../harness/bench.ts';
import { randomPayloads } from '../harness/payload.ts';
import { median } from '../harness/statistics.ts';
import { startWorker, type Worker } from '../harness/worker.ts';
import { BarePipeline } from '../pipeline/bare-pipeline.ts';
import type { ReceiveAnswer, ReceiveRequest } from '../transport/link-receiver.ts';
import type { SenderPorts } from '../transport/link-sender.ts';
import type { Plan } from './plan.ts';

const batchBytes = 512 * 1024;

/** MB/s of plain writes to the disk, of a plain socket, and of the bare pipeline. */
export async function measureCeilings(
  context: BenchContext,
  plan: Plan,
): Promise<Record<string, number>> {
  context.progress('ceilings of the machine');
  const directory = await context.freshDirectory('ceilings');
  const figures: Record<string, number> = {};
  for (const flush of ['os', 'ack'] as const)
    figures[`ceiling_disk_${flush}_MB_per_s`] = await writeSpeed(directory, flush);
  figures['ceiling_loopback_MB_per_s'] = await loopbackSpeed(context);
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

/** Plain sockets between two processes, 512 KiB messages; the receiver only counts. Median of three. */
async function loopbackSpeed(context: BenchContext): Promise<number> {
  const place = (file: string): URL => new URL(`../transport/${file}.ts`, import.meta.url);
  const sender = startWorker<object, SenderPorts>(place('link-sender'));
  const receiver: Worker<ReceiveRequest, ReceiveAnswer> = startWorker(place('link-receiver'));
  try {
    const ports = await sender.ask({});
    const go = { messageBytes: batchBytes, count: 1_000 };
    const speeds: number[] = [];
    for (let round = 0; round < 3; round++) {
      const { payloadBytes, elapsedMs } = await receiver.ask({ via: 'raw', ports, go });
      if (payloadBytes !== go.messageBytes * go.count)
        context.invalid(`loopback: ${payloadBytes} bytes arrived`);
      speeds.push(payloadBytes / 1000 / elapsedMs);
    }
    return median(speeds);
  } finally {
    await Promise.all([sender.close(), receiver.close()]);
  }
}
