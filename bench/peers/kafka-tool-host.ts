/** One JVM for all of Kafka's tools, which stays warm as our client processes do; see `ToolHost.java`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { jvmFlags, kafkaClassPath } from './kafka-jvm.ts';

const program = fileURLToPath(new URL('./ToolHost.java', import.meta.url));

interface Job {
  readonly lines: string[];
  readonly resolve: (printed: string) => void;
  readonly reject: (reason: Error) => void;
}

export class KafkaToolHost {
  readonly #child: ChildProcess;
  #job: Job | undefined;

  /** What the tools write to standard error goes to a file of the directory. */
  constructor(directory: string) {
    const log = openSync(join(directory, 'tools.log'), 'a');
    this.#child = spawn('java', [...jvmFlags, '-cp', kafkaClassPath, program], {
      stdio: ['pipe', 'pipe', log],
    });
    closeSync(log);
    this.#child.once('error', (error) => this.#fail(error));
    this.#child.once('exit', (code) => this.#fail(new Error(`Kafka's tools ended with ${code}`)));
    if (this.#child.stdout !== null)
      createInterface(this.#child.stdout).on('line', (line) => this.#onLine(line));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Runs one tool, a class with a main method; resolves to what it printed. One at a time. */
  run(tool: string, argv: readonly string[]): Promise<string> {
    if (this.#job !== undefined) throw new Error('the tools run one at a time');
    return new Promise((resolve, reject) => {
      this.#job = { lines: [], resolve, reject };
      this.#child.stdin?.write(`${[tool, ...argv].join('\t')}\n`);
    });
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  #onLine(line: string): void {
    const job = this.#job;
    if (job === undefined) return;
    if (line === '==done') {
      this.#job = undefined;
      job.resolve(job.lines.join('\n'));
    } else if (line.startsWith('==failed')) this.#fail(new Error(`a tool of Kafka: ${line}`));
    else job.lines.push(line);
  }

  #fail(reason: Error): void {
    this.#job?.reject(reason);
    this.#job = undefined;
  }
}
