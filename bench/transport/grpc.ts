/**
 * Our gRPC stream against a bare grpc-js stream of buffers at its default windows: the same bytes from
 * one process to another, as a client produces to a broker.
 */
import type { BenchContext, BenchOutcome, Goal } from '../harness/bench.ts';
import { interleave, ratios } from '../harness/rounds.ts';
import { median } from '../harness/statistics.ts';
import { startWorker, type Worker } from '../harness/worker.ts';
import type { ReceiverPorts } from './grpc-receiver.ts';
import type { SendAnswer, SendRequest } from './grpc-sender.ts';

const sizes = [
  { name: '16K', messageBytes: 16 * 1024, goal: 1.5 },
  { name: '128K', messageBytes: 128 * 1024, goal: 2 },
  { name: '512K', messageBytes: 512 * 1024, goal: 2 },
] as const;
const contenders = ['ours', 'bare'] as const;

export const grpcGoals: readonly Goal[] = sizes.map(({ name, goal }) => ({
  key: `grpc_${name}_vs_bare`,
  goal: { atLeast: goal },
  meaning: `our gRPC stream ÷ a bare grpc-js stream of buffers at its default windows, ${name} messages`,
}));

type Sender = Worker<SendRequest, SendAnswer>;

/** Measures the keys of gRPC. */
export async function runGrpc(context: BenchContext): Promise<BenchOutcome> {
  const receiver = startWorker<object, ReceiverPorts>(
    new URL('./grpc-receiver.ts', import.meta.url),
  );
  const sender: Sender = startWorker(new URL('./grpc-sender.ts', import.meta.url));
  const figures: Record<string, number> = {};
  const samples: Record<string, readonly number[]> = {};
  try {
    const ports = await receiver.ask({});
    for (const { name, messageBytes } of sizes) {
      context.progress(`gRPC ${name}`);
      const run = (via: 'ours' | 'bare', bytes: number, isChecked: boolean) => {
        const count = Math.round(bytes / messageBytes);
        return measure(context, sender, { via, ports, messageBytes, count, isChecked });
      };
      const bytes = context.isQuick ? 128e6 : 768e6;
      const measured = contenders.map((via) => ({
        name: via,
        measure: () => run(via, bytes, false),
      }));
      await interleave(1, measured); // The compiler settles first.
      const rounds = await interleave(context.isQuick ? 7 : 15, measured);
      const key = `grpc_${name}_vs_bare`;
      samples[key] = ratios(rounds.ours, rounds.bare);
      figures[key] = median(samples[key]);
      for (const via of contenders) {
        figures[`grpc_${name}_${via}_MB_per_s`] = median(rounds[via]);
        samples[`grpc_${name}_${via}_MB_per_s`] = rounds[via];
        await run(via, 16e6, true);
      }
    }
  } finally {
    await Promise.all([sender.close(), receiver.close()]);
  }
  return { figures, samples, parity };
}

/** MB of payload a second, counted whole. */
async function measure(
  context: BenchContext,
  sender: Sender,
  request: SendRequest,
): Promise<number> {
  const { elapsedMs, payloadBytes, messages, differing } = await sender.ask(request);
  if (messages !== request.count || payloadBytes !== request.count * request.messageBytes) {
    context.invalid(`${request.via}: ${messages} messages arrived of ${request.count}`);
  }
  if (differing > 0) context.invalid(`${request.via}: ${differing} payloads differ`);
  return payloadBytes / 1000 / elapsedMs;
}

const parity: BenchOutcome['parity'] = {
  grpc_processes: 'one sends, one receives; a connection each for ours and the bare stream',
  grpc_bare: 'grpc-js 1.14.7, bidirectional stream of ready buffers, all options at default',
  grpc_ours: 'the RPC port: header and payload as two parts, 1 MiB windows, 4 MiB unsent at most',
  grpc_checked: '16 MB a size with the CRC-32C of each payload compared, after the timed rounds',
};
