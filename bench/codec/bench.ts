/**
 * Encoding and decoding of record batches against the codecs inside two Kafka clients, on the same
 * records and with the same bytes as the result: the checksums of all three must agree.
 */
import type { Bench, BenchContext, BenchOutcome, Goal } from '../harness/bench.ts';
import { randomPayloads } from '../harness/payload.ts';
import { interleave, type Rounds, ratios, strongest } from '../harness/rounds.ts';
import { median } from '../harness/statistics.ts';
import { startWorker, type Worker } from '../harness/worker.ts';
import { type ContenderName, contenderNames, type SampleRecord } from './contender.ts';
import { peerVersion } from './peer-codecs.ts';
import type { MeasureRequest, PrepareRequest, WorkerAnswer } from './worker.ts';

type CodecWorker = Worker<PrepareRequest | MeasureRequest, WorkerAnswer>;
type Workers = Readonly<Record<ContenderName, CodecWorker>>;

const sizes = [
  { name: '100B', valueBytes: 100, records: 512 },
  { name: '1KB', valueBytes: 1000, records: 64 },
] as const;
const operations = ['encode', 'decode'] as const;
const peers = ['kafkajs', 'platformatic'] as const;
const keyBytes = 16;
const headerKey = 'trace-id';
const headerValueBytes = 16;

/**
 * Like against like: the peers write a checksum and never look at one, so ours is measured writing it
 * and reading without a look at it. Highwater's client does look: that figure stands beside.
 */
const alike = { encode: 'ours', decode: 'ours-without-crc' } as const;

const goals: readonly Goal[] = operations.flatMap((operation) =>
  sizes.map(({ name }) => ({
    key: `${operation}_${name}_vs_best_peer`,
    goal: { atLeast: 2 },
    meaning: `records/s ÷ the faster of kafkajs and @platformatic/kafka${
      operation === 'decode' ? ', all without looking at the checksum' : ''
    }`,
  })),
);

export const codecBench: Bench = {
  name: 'codec',
  purpose: 'encodes and decodes record batches, against the codecs of two Kafka clients',
  goals,
  run: runCodec,
};

async function runCodec(context: BenchContext): Promise<BenchOutcome> {
  const workers = Object.fromEntries(
    contenderNames.map((name) => [
      name,
      startWorker(new URL('./worker.ts', import.meta.url), [name]),
    ]),
  ) as unknown as Workers;
  const figures: Record<string, number> = {};
  const samples: Record<string, readonly number[]> = {};
  try {
    for (const size of sizes) {
      await prepare(context, workers, makeRecords(size));
      for (const operation of operations) {
        const key = `${operation}_${size.name}`;
        context.progress(key);
        const rounds = await measure(context, workers, operation);
        const best = strongest(rounds, peers);
        const quotients = ratios(rounds[alike[operation]], rounds[best]);
        figures[`${key}_vs_best_peer`] = median(quotients);
        samples[`${key}_vs_best_peer`] = quotients;
        if (operation === 'decode') {
          const checked = ratios(rounds.ours, rounds[best]);
          figures[`${key}_with_crc_vs_best_peer`] = median(checked);
          samples[`${key}_with_crc_vs_best_peer`] = checked;
        }
        for (const name of contenderNames) {
          if (operation === 'encode' && name === 'ours-without-crc') continue; // Writing has one form.
          figures[`${key}_${name}_records_per_s`] = median(rounds[name]);
          samples[`${key}_${name}_records_per_s`] = rounds[name];
        }
      }
    }
  } finally {
    await Promise.all(contenderNames.map((name) => workers[name].close()));
  }
  return { figures, samples, parity: parity() };
}

/** Gives all workers the same records; the batches that they make of them must be the same bytes. */
async function prepare(
  context: BenchContext,
  workers: Workers,
  records: readonly SampleRecord[],
): Promise<void> {
  const checksums: number[] = [];
  for (const name of contenderNames) {
    checksums.push((await workers[name].ask({ kind: 'prepare', records })).checksum);
  }
  expectSame(context, 'the encoded batches', checksums);
}

async function measure(
  context: BenchContext,
  workers: Workers,
  kind: MeasureRequest['kind'],
): Promise<Rounds<ContenderName>> {
  const millis = context.isQuick ? 400 : 1_000;
  const checksums = new Map<ContenderName, number>();
  const contenders = contenderNames.map((name) => ({
    name,
    async measure(): Promise<number> {
      const answer = await workers[name].ask({ kind, millis });
      checksums.set(name, answer.checksum);
      return answer.recordsPerS;
    },
  }));
  await interleave(2, contenders); // The compiler settles first.
  const rounds = await interleave(context.isQuick ? 5 : 11, contenders);
  expectSame(context, `what ${kind} gives`, [...checksums.values()]);
  return rounds;
}

function expectSame(context: BenchContext, what: string, checksums: readonly number[]): void {
  if (new Set(checksums).size !== 1) {
    context.invalid(`${what} differ between the contenders: ${checksums.join(', ')}`);
  }
}

function makeRecords(size: (typeof sizes)[number]): SampleRecord[] {
  const keys = randomPayloads(size.records, keyBytes);
  const values = randomPayloads(size.records, size.valueBytes);
  const headerValues = randomPayloads(size.records, headerValueBytes);
  const from = Date.now();
  return keys.map((key, index) => ({
    timestamp: from + (index >> 2),
    key,
    value: values[index] ?? key,
    headerKey,
    headerValue: headerValues[index] ?? key,
  }));
}

function parity(): BenchOutcome['parity'] {
  return {
    kafkajs: peerVersion('kafkajs'),
    platformatic: peerVersion('@platformatic/kafka'),
    record: `value 100 or 1000 random bytes, key ${keyBytes}, header ${headerKey} of ${headerValueBytes}`,
    batch: sizes.map(({ name, records }) => `${records} records of ${name}`),
    compression: 'none',
    encode: 'one contiguous batch with its CRC-32C, byte-identical for all three',
    decode:
      'every key, value, header and timestamp. Neither peer looks at the CRC when it reads, so decode_*_vs_best_peer leaves ours out as well; decode_*_with_crc_vs_best_peer is ours with it, as our client reads',
    structure:
      'ours checks the structure of every record before the first is given out, in both forms',
    processes: 'one for each contender, one at work at a time',
  };
}
