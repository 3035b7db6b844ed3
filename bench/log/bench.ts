/** The partition log against bare file calls that move the same bytes. */
import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import type { Bench, BenchContext, BenchOutcome, Goal } from '../harness/bench.ts';
import { interleave, isSettled, ratios, settle } from '../harness/rounds.ts';
import { median } from '../harness/statistics.ts';
import { memoryIsWarm, warmMemory } from '../harness/warm-memory.ts';
import { startWorker, type Worker } from '../harness/worker.ts';
import { groupBytes, type LogAnswer, type LogRequest, windowBytes } from './requests.ts';

type LogWorker = Worker<LogRequest, LogAnswer>;

const appends = [
  { key: 'append_os_16K_vs_bare', flush: 'os', batchBytes: 16 * 1024 },
  { key: 'append_os_128K_vs_bare', flush: 'os', batchBytes: 128 * 1024 },
  { key: 'append_os_1M_vs_bare', flush: 'os', batchBytes: 1024 * 1024 },
  { key: 'append_ack_16K_vs_bare', flush: 'ack', batchBytes: 16 * 1024 },
  { key: 'append_ack_1M_vs_bare', flush: 'ack', batchBytes: 1024 * 1024 },
] as const;

const goals: readonly Goal[] = [
  ...appends.map(({ key, flush }) => ({
    key,
    goal: { atLeast: 0.85 },
    meaning: flush === 'os' ? 'against bare writev' : 'against bare writev and fdatasync',
  })),
  { key: 'append_ack_100_vs_1', goal: { atLeast: 0.65 }, meaning: '512 KiB rounds, 100 logs ÷ 1' },
  { key: 'append_ack_1000_vs_1', goal: { atLeast: 0.25 }, meaning: '512 KiB rounds, 1,000 ÷ 1' },
  { key: 'read_cold_vs_bare', goal: { atLeast: 0.8 }, meaning: 'checked, from the disk' },
  { key: 'read_cached_vs_bare', goal: { atLeast: 0.8 }, meaning: 'checked, from the page cache' },
  { key: 'recovery_s_per_GB', goal: { atMost: 2 }, meaning: 'after SIGKILL, all above the point' },
  { key: 'start_s_10000_partitions', goal: { atMost: 3 }, meaning: 'all idle, none opened' },
  { key: 'idle_cpu_percent_10000_partitions', goal: { atMost: 1 }, meaning: 'of one core' },
];

/** Collects figures and samples of the parts. */
class Sheet {
  readonly figures: Record<string, number> = {};
  readonly samples: Record<string, readonly number[]> = {};

  add(key: string, samples: readonly number[]): void {
    this.samples[key] = samples;
    this.figures[key] = median(samples);
  }
}

export const logBench: Bench = {
  name: 'log',
  purpose: 'The partition log against bare file calls that move the same bytes.',
  goals,
  async run(context): Promise<BenchOutcome> {
    const sheet = new Sheet();
    await runAppends(context, sheet);
    await runRounds(context, sheet);
    await runReads(context, sheet);
    await runRecovery(context, sheet);
    await runStart(context, sheet);
    return { figures: sheet.figures, samples: sheet.samples, parity };
  },
};

const parity = {
  page_cache: memoryIsWarm,
  warm_up: isSettled,
  reference: 'node:fs writev, fdatasync and read; the same batches, window and grouping',
  window_MiB: windowBytes / 2 ** 20,
  write_MiB: groupBytes / 2 ** 20,
  next_write: 'made ready while one is under way, by both',
  payload: 'random',
  batches: 'one record each; checked by offset and checksum after every run of ours',
  processes: 'ours and the reference each in one',
};

function workers(): { readonly ours: LogWorker; readonly bare: LogWorker; close(): Promise<void> } {
  const ours: LogWorker = startWorker(new URL('./log-worker.ts', import.meta.url));
  const bare: LogWorker = startWorker(new URL('./bare-worker.ts', import.meta.url));
  return {
    ours,
    bare,
    close: async () => {
      await Promise.all([ours.close(), bare.close()]);
    },
  };
}

/** One request in a directory of its own; MB a second. */
async function rate(
  context: BenchContext,
  worker: LogWorker,
  make: (path: string) => LogRequest,
): Promise<{ readonly rate: number; readonly answer: LogAnswer }> {
  const path = await context.freshDirectory('log');
  const request = make(path);
  await warmMemory(path, bytesOf(request));
  const answer = await worker.ask(request);
  for (const fault of answer.faults) context.invalid(fault);
  rmSync(path, { recursive: true, force: true });
  return { rate: answer.bytes / 1e6 / answer.seconds, answer };
}

/** What a request writes. */
function bytesOf(request: LogRequest): number {
  if (request.kind === 'append') return request.totalBytes;
  return request.kind === 'rounds' ? request.rounds * request.roundBytes : 0;
}

async function runAppends(context: BenchContext, sheet: Sheet): Promise<void> {
  const both = workers();
  try {
    for (const { key, flush, batchBytes } of appends) {
      context.progress(key);
      const totalBytes = context.isQuick ? 128e6 : 256e6;
      const cpu: number[] = [];
      const make = (path: string): LogRequest => ({
        kind: 'append',
        path,
        flush,
        batchBytes,
        totalBytes,
      });
      const sides = [
        {
          name: 'ours' as const,
          measure: async () => {
            const { rate: speed, answer } = await rate(context, both.ours, make);
            cpu.push(answer.cpuSeconds / (answer.bytes / 1e9));
            return speed;
          },
        },
        {
          name: 'bare' as const,
          measure: async () => (await rate(context, both.bare, make)).rate,
        },
      ];
      await settle(context.isQuick ? 12 : 8, sides);
      cpu.length = 0;
      const rounds = await interleave(context.isQuick ? 9 : 15, sides);
      sheet.add(key, ratios(rounds.ours, rounds.bare));
      const name = key.replace('_vs_bare', '');
      sheet.add(`${name}_MB_per_s`, rounds.ours);
      sheet.add(`${name}_bare_MB_per_s`, rounds.bare);
      sheet.add(`${name}_cpu_s_per_GB`, cpu);
    }
  } finally {
    await both.close();
  }
}

async function runRounds(context: BenchContext, sheet: Sheet): Promise<void> {
  const both = workers();
  const measured = ([1, 100, 1000] as const).map((logs) => ({
    name: `${logs}` as const,
    measure: async () => {
      const rounds = (context.isQuick ? 40 : 100) * (logs === 1000 ? 1 : 3);
      const make = (path: string): LogRequest => ({
        kind: 'rounds',
        path,
        logs,
        roundBytes: 512 * 1024,
        rounds,
      });
      return (await rate(context, both.ours, make)).rate;
    },
  }));
  try {
    context.progress('rounds over 1, 100 and 1,000 logs');
    await settle(context.isQuick ? 4 : 3, measured);
    const rounds = await interleave(context.isQuick ? 3 : 5, measured);
    sheet.add('append_ack_100_vs_1', ratios(rounds['100'], rounds['1']));
    sheet.add('append_ack_1000_vs_1', ratios(rounds['1000'], rounds['1']));
    for (const logs of ['1', '100', '1000'] as const) {
      sheet.add(`rounds_${logs}_logs_MB_per_s`, rounds[logs]);
    }
  } finally {
    await both.close();
  }
}

async function runReads(context: BenchContext, sheet: Sheet): Promise<void> {
  const both = workers();
  try {
    context.progress('reads');
    const path = await context.freshDirectory('read');
    const filler: LogWorker = startWorker(new URL('./log-worker.ts', import.meta.url));
    await filler.ask({ kind: 'fill', path, totalBytes: context.isQuick ? 256e6 : 1024e6 });
    await filler.close();
    // Recovered once, so that both readers meet a log at rest.
    await both.ours.ask({ kind: 'start', path, idleMs: 0 });
    for (const kind of ['cold', 'cached'] as const) {
      const measure = async (worker: LogWorker): Promise<number> => {
        if (kind === 'cold') dropFromCache(path);
        const answer = await worker.ask({ kind: 'read', path });
        for (const fault of answer.faults) context.invalid(fault);
        return answer.bytes / 1e6 / answer.seconds;
      };
      await measure(both.ours);
      const rounds = await interleave(context.isQuick ? 5 : 9, [
        { name: 'ours', measure: () => measure(both.ours) },
        { name: 'bare', measure: () => measure(both.bare) },
      ]);
      sheet.add(`read_${kind}_vs_bare`, ratios(rounds.ours, rounds.bare));
      sheet.add(`read_${kind}_MB_per_s`, rounds.ours);
      sheet.add(`read_${kind}_bare_MB_per_s`, rounds.bare);
    }
  } finally {
    await both.close();
  }
}

function dropFromCache(path: string): void {
  const [log] = readdirSync(`${path}/logs`);
  for (const name of readdirSync(`${path}/logs/${log}`)) {
    const file = `${path}/logs/${log}/${name}`;
    const words = [`of=${file}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0'];
    execFileSync('dd', words, { stdio: 'ignore' });
  }
}

async function runRecovery(context: BenchContext, sheet: Sheet): Promise<void> {
  const totalBytes = context.isQuick ? 512e6 : 1e9;
  const samples: number[] = [];
  for (let round = 0; round < 3; round++) {
    context.progress(`recovery ${round + 1}`);
    const path = await context.freshDirectory('recovery');
    const filler: LogWorker = startWorker(new URL('./log-worker.ts', import.meta.url));
    await filler.ask({ kind: 'fill', path, totalBytes });
    process.kill(filler.pid, 'SIGKILL');
    await filler.close();
    const starter: LogWorker = startWorker(new URL('./log-worker.ts', import.meta.url));
    const answer = await starter.ask({ kind: 'start', path, idleMs: 0 });
    const after = await starter.ask({ kind: 'read', path });
    await starter.close();
    if (after.bytes < totalBytes)
      context.invalid(`recovered ${after.bytes} of ${totalBytes} bytes`);
    samples.push(answer.seconds / (totalBytes / 1e9));
    rmSync(path, { recursive: true, force: true });
  }
  sheet.add('recovery_s_per_GB', samples);
}

async function runStart(context: BenchContext, sheet: Sheet): Promise<void> {
  context.progress('10,000 partitions are made');
  const path = await context.freshDirectory('many');
  const maker: LogWorker = startWorker(new URL('./log-worker.ts', import.meta.url));
  const made = await maker.ask({ kind: 'create', path, logs: 10_000 });
  for (const fault of made.faults) context.invalid(fault);
  await maker.close();
  const seconds: number[] = [];
  const idle: number[] = [];
  for (let round = 0; round < 3; round++) {
    const worker: LogWorker = startWorker(new URL('./log-worker.ts', import.meta.url));
    const answer = await worker.ask({
      kind: 'start',
      path,
      idleMs: context.isQuick ? 3000 : 10_000,
    });
    for (const fault of answer.faults) context.invalid(fault);
    seconds.push(answer.seconds);
    idle.push(answer.idlePercent ?? 0);
    await worker.close();
  }
  sheet.add('start_s_10000_partitions', seconds);
  sheet.add('idle_cpu_percent_10000_partitions', idle);
}
