/**
 * The peer link against plain sockets: the same bytes in the same writes from one process to another,
 * as a leader streams to a follower. The receiver of the plain socket only counts.
 */
import type { BenchContext, BenchOutcome, Goal } from '../harness/bench.ts';
import { interleave, ratios } from '../harness/rounds.ts';
import { median } from '../harness/statistics.ts';
import { startWorker, type Worker } from '../harness/worker.ts';
import type { ReceiveAnswer, ReceiveRequest } from './link-receiver.ts';
import type { SenderPorts } from './link-sender.ts';

const sizes = [
  { name: '16K', messageBytes: 16 * 1024, goal: 0.65 },
  { name: '128K', messageBytes: 128 * 1024, goal: 0.8 },
  { name: '512K', messageBytes: 512 * 1024, goal: 0.8 },
] as const;
const contenders = ['link', 'raw'] as const;

export const linkGoals: readonly Goal[] = sizes.map(({ name, goal }) => ({
  key: `link_${name}_vs_raw`,
  goal: { atLeast: goal },
  meaning: `the peer link ÷ plain sockets, ${name} messages, receiver only counting`,
}));

type Receiver = Worker<ReceiveRequest, ReceiveAnswer>;

/** Measures the link's keys. */
export async function runLink(context: BenchContext): Promise<BenchOutcome> {
  const sender = startWorker<object, SenderPorts>(new URL('./link-sender.ts', import.meta.url));
  const receiver: Receiver = startWorker(new URL('./link-receiver.ts', import.meta.url));
  const figures: Record<string, number> = {};
  const samples: Record<string, readonly number[]> = {};
  try {
    const ports = await sender.ask({});
    for (const { name, messageBytes } of sizes) {
      context.progress(`link ${name}`);
      const count = Math.round((context.isQuick ? 256e6 : 1024e6) / messageBytes);
      const measured = contenders.map((via) => ({
        name: via,
        measure: () => measure(context, receiver, { via, ports, go: { messageBytes, count } }),
      }));
      await interleave(1, measured); // The compiler settles first.
      const rounds = await interleave(context.isQuick ? 11 : 15, measured);
      const key = `link_${name}_vs_raw`;
      samples[key] = ratios(rounds.link, rounds.raw);
      figures[key] = median(samples[key]);
      for (const via of contenders) {
        figures[`link_${name}_${via}_MB_per_s`] = median(rounds[via]);
        samples[`link_${name}_${via}_MB_per_s`] = rounds[via];
      }
      const go = { messageBytes, count: Math.round(32e6 / messageBytes) };
      await measure(context, receiver, { via: 'link-checked', ports, go });
    }
  } finally {
    await Promise.all([sender.close(), receiver.close()]);
  }
  return { figures, samples, parity };
}

/** MB of payload a second, counted whole. */
async function measure(
  context: BenchContext,
  receiver: Receiver,
  request: ReceiveRequest,
): Promise<number> {
  const { elapsedMs, payloadBytes, differing } = await receiver.ask(request);
  const expected = request.go.messageBytes * request.go.count;
  if (payloadBytes !== expected) {
    context.invalid(`${request.via}: ${payloadBytes} bytes arrived of ${expected}`);
  }
  if (differing > 0) context.invalid(`${request.via}: ${differing} payloads differ`);
  return payloadBytes / 1000 / elapsedMs;
}

const parity: BenchOutcome['parity'] = {
  link_processes:
    'one sends, one receives; one TCP connection each for the link and the plain socket',
  link_writes: 'both: batches of 1 MiB in one writev, two under way, no delay, 36 bytes of head',
  link_receiver: 'link: each payload as a buffer of its own, credit given back; raw: counts bytes',
  link_checked: '32 MB a size with the CRC-32C of each payload compared, after the timed rounds',
};
