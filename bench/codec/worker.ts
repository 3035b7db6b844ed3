/** One contender in a process of its own: prepares once, then measures what it is told. */

import { layout } from '../../proto/wire/batch-layout.ts';
import { crc32c } from '../../proto/wire/crc32c.ts';
import { serveWorker } from '../harness/worker.ts';
import type { CodecContender, SampleRecord } from './contender.ts';
import { oursContender } from './ours.ts';
import { kafkajsContender, platformaticContender } from './peers.ts';

export interface PrepareRequest {
  readonly kind: 'prepare';
  readonly records: readonly SampleRecord[];
}

export interface MeasureRequest {
  readonly kind: 'encode' | 'decode';
  readonly millis: number;
}

export interface WorkerAnswer {
  readonly recordsPerS: number;
  /** Of the bytes written or of the records read: equal for all contenders. */
  readonly checksum: number;
}

const contender = await makeContender(process.argv[2] ?? '');
let recordCount = 0;
let batch: Buffer = Buffer.alloc(0);

serveWorker(async (request: PrepareRequest | MeasureRequest): Promise<WorkerAnswer> => {
  switch (request.kind) {
    case 'prepare':
      contender.prepare(request.records);
      recordCount = request.records.length;
      batch = await contender.encode();
      return { recordsPerS: 0, checksum: checksumOf(batch) };
    case 'encode':
      return measure(request.millis, async () => {
        const written = await contender.encode();
        return written.readUInt32BE(layout.crc);
      });
    case 'decode':
      return measure(request.millis, () => contender.decode(batch));
  }
});

/** Repeats until the time is up; every repetition must give the same checksum. */
async function measure(
  millis: number,
  once: () => number | Promise<number>,
): Promise<WorkerAnswer> {
  globalThis.gc?.();
  const checksum = await once();
  const started = performance.now();
  let elapsed = 0;
  let repetitions = 0;
  while (elapsed < millis) {
    const again = await once();
    if (again !== checksum) throw new Error(`checksum ${again} after ${checksum}`);
    repetitions++;
    elapsed = performance.now() - started;
  }
  return { recordsPerS: (repetitions * recordCount * 1000) / elapsed, checksum };
}

/** Of everything but what a leader writes. */
function checksumOf(bytes: Buffer): number {
  return crc32c(bytes.subarray(layout.crc));
}

async function makeContender(name: string): Promise<CodecContender> {
  switch (name) {
    case 'ours':
      return oursContender();
    case 'ours-without-crc':
      return oursContender(false);
    case 'kafkajs':
      return kafkajsContender();
    case 'platformatic':
      return platformaticContender();
    default:
      throw new Error(`no contender is called ${name}`);
  }
}
