/** Kafka's own `VerifiableProducer` on a beat: it prints a line for each acknowledgement. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { kafkaClassPath } from './kafka-cluster.ts';

export class SteadyKafkaProducer {
  readonly #child: ChildProcess;
  #acknowledged = 0;
  #lastAckAt = 0;
  #longestGapMs = 0;

  constructor(bootstrap: string, topic: string, everyMs: number) {
    this.#child = spawn(
      'java',
      [
        ...['-cp', kafkaClassPath, 'org.apache.kafka.tools.VerifiableProducer'],
        ...['--bootstrap-server', bootstrap, '--topic', topic, '--acks', '-1'],
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
