/**
 * Kafka's own `VerifiableProducer` on a beat: it prints a line for each acknowledgement. The tool turns
 * retries off, and idempotence with them; here they are as they are by default.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { KafkaCluster } from './kafka-cluster.ts';
import { kafkaClassPath } from './kafka-jvm.ts';

export interface SteadyKafkaLoad {
  readonly topic: string;
  readonly everyMs: number;
  /** Settings of the producer other than its defaults, as lines. */
  readonly settings?: readonly string[];
}

const producerDefaults = ['enable.idempotence=true', 'retries=2147483647'];

export class SteadyKafkaProducer {
  readonly #child: ChildProcess;
  #acknowledged = 0;
  #lastAckAt = 0;
  #longestGapMs = 0;

  constructor(cluster: KafkaCluster, { topic, everyMs, settings = [] }: SteadyKafkaLoad) {
    const configuration = join(cluster.directory, `steady-${topic}.properties`);
    writeFileSync(configuration, [...producerDefaults, ...settings, ''].join('\n'));
    this.#child = spawn(
      'java',
      [
        ...['-cp', kafkaClassPath, 'org.apache.kafka.tools.VerifiableProducer'],
        ...['--bootstrap-server', cluster.bootstrap, '--topic', topic, '--acks', '-1'],
        ...['--command-config', configuration],
        ...['--throughput', String(1000 / everyMs), '--max-messages', '-1'],
      ],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
    if (this.#child.stdout !== null)
      createInterface(this.#child.stdout).on('line', (line) => {
        if (line.includes('producer_send_success')) this.#onAck();
      });
  }

  /** The present time without an acknowledgement included. */
  get longestGapMs(): number {
    return Math.max(this.#longestGapMs, performance.now() - this.#lastAckAt);
  }

  /** Resolves once that many more records are acknowledged. */
  async acknowledges(count: number, withinMs = 60_000): Promise<void> {
    const goal = this.#acknowledged + count;
    const deadline = performance.now() + withinMs;
    while (this.#acknowledged < goal) {
      if (performance.now() > deadline || this.#child.exitCode !== null)
        throw new Error(`Kafka's producer lacks ${goal - this.#acknowledged} acknowledgements`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  #onAck(): void {
    const now = performance.now();
    // The first acknowledgements come while the JVM still warms up.
    if (++this.#acknowledged > 100)
      this.#longestGapMs = Math.max(this.#longestGapMs, now - this.#lastAckAt);
    this.#lastAckAt = now;
  }
}
