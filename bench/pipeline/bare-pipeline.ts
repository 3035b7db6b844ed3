/** The bare pipeline as a bench uses it: four processes, and rounds that are checked afterwards. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cpuSecondsOf } from '../harness/process-usage.ts';
import { warmMemory } from '../harness/warm-memory.ts';
import { startWorker, type Worker } from '../harness/worker.ts';
import type {
  ConnectAnswer,
  HopRequest,
  SendAnswer,
  SendRequest,
  VerifyAnswer,
} from './requests.ts';

export interface PipelineRound {
  readonly flush: 'os' | 'ack';
  readonly batchBytes: number;
  readonly count: number;
}

export interface PipelineResult {
  readonly megabytesPerSecond: number;
  /** CPU seconds per GB acknowledged: the producer; the leader and both followers together. */
  readonly producerCpuPerGB: number;
  readonly nodesCpuPerGB: number;
  /** What was not as it should be; empty for a valid round. */
  readonly faults: readonly string[];
}

export class BarePipeline {
  readonly #directory: string;
  readonly #producer: Worker<SendRequest, SendAnswer>;
  readonly #hops: readonly Worker<HopRequest, unknown>[];
  readonly #grpcPort: number;
  #rounds = 0;

  private constructor(
    directory: string,
    hops: readonly Worker<HopRequest, unknown>[],
    grpcPort: number,
  ) {
    this.#directory = directory;
    this.#hops = hops;
    this.#grpcPort = grpcPort;
    this.#producer = startWorker(new URL('./bare-producer.ts', import.meta.url));
  }

  /** Starts the processes; files go below the directory. */
  static async start(directory: string): Promise<BarePipeline> {
    const leader = startWorker<HopRequest, unknown>(new URL('./bare-leader.ts', import.meta.url));
    const followers = [0, 1].map(() =>
      startWorker<HopRequest, unknown>(new URL('./bare-follower.ts', import.meta.url)),
    );
    const ports = (await leader.ask({ kind: 'connect' })) as ConnectAnswer;
    await Promise.all(
      followers.map((hop) => hop.ask({ kind: 'connect', leaderPort: ports.framePort })),
    );
    return new BarePipeline(directory, [leader, ...followers], ports.grpcPort);
  }

  /** One round into fresh files, which are read again and removed. */
  async run({ flush, batchBytes, count }: PipelineRound): Promise<PipelineResult> {
    const round = this.#rounds++;
    const paths = this.#hops.map((_, index) => join(this.#directory, `bare-${round}-${index}`));
    const each = <Answer>(ask: (path: string) => HopRequest): Promise<Answer[]> =>
      Promise.all(
        this.#hops.map((hop, index) => hop.ask(ask(paths[index] ?? '')) as Promise<Answer>),
      );
    await each((path) => ({ kind: 'begin', path, flush }));
    await warmMemory(this.#directory, 3 * count * batchBytes);
    const before = this.#cpu();
    const sent = await this.#producer.ask({ grpcPort: this.#grpcPort, batchBytes, count });
    const after = this.#cpu();
    const found = await each<VerifyAnswer>((path) => ({ kind: 'verify', path }));
    await Promise.all(paths.map((path) => rm(path)));
    const bytes = count * batchBytes;
    const isWhole = (file: VerifyAnswer): boolean =>
      file.batches === count && file.bytes === bytes && file.damaged === 0;
    return {
      megabytesPerSecond: bytes / 1e6 / sent.seconds,
      producerCpuPerGB: (after.producer - before.producer) / (bytes / 1e9),
      nodesCpuPerGB: (after.nodes - before.nodes) / (bytes / 1e9),
      faults: found
        .filter((file) => !isWhole(file))
        .map((file) => `bare: ${file.batches} of ${count} batches, ${file.damaged} damaged`),
    };
  }

  async close(): Promise<void> {
    await Promise.all([this.#producer, ...this.#hops].map((worker) => worker.close()));
  }

  #cpu(): { readonly producer: number; readonly nodes: number } {
    let nodes = 0;
    for (const hop of this.#hops) nodes += cpuSecondsOf(hop.pid);
    return { producer: cpuSecondsOf(this.#producer.pid), nodes };
  }
}
