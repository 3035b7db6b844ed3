/**
 * One node as a process of its own, run from here: started, killed, paused, started again. It keeps its
 * settings and its data over its restarts. Its log goes to a file, and the last of it is kept here.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { get } from 'node:http';
import { fileURLToPath } from 'node:url';
import { HighwaterError } from '../../../proto/model/errors.ts';

export interface ProcessNodeOptions {
  readonly id: number;
  /** Settings of `highwater server` by name. */
  readonly settings: ReadonlyMap<string, string>;
  readonly logPath: string;
  /** The command, as built; this product's own if absent. */
  readonly program?: string;
  /** Variables of the process; this one's if absent. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Where it runs; here if absent. */
  readonly directory?: string;
}

const logChunksMax = 500;
const askEveryMs = 20;
const ownProgram = fileURLToPath(new URL('../cli.js', import.meta.url));

export class ProcessNode {
  readonly id: number;
  /** What the node logged, as far as it was kept. */
  readonly log: string[] = [];
  readonly #options: ProcessNodeOptions;
  #child: ChildProcess | undefined;
  #exited: Promise<number | null> = Promise.resolve(null);

  constructor(options: ProcessNodeOptions) {
    this.id = options.id;
    this.#options = options;
  }

  /** Where clients reach it. */
  get grpc(): string {
    const { settings } = this.#options;
    return settings.get('advertised-listen') ?? settings.get('listen') ?? '';
  }

  get peer(): string {
    return this.#options.settings.get('peer-listen') ?? '';
  }

  get http(): string {
    return this.#options.settings.get('http-listen') ?? '';
  }

  get data(): string {
    return this.#options.settings.get('data') ?? '';
  }

  get logPath(): string {
    return this.#options.logPath;
  }

  /** 0 before the first start. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get isRunning(): boolean {
    const child = this.#child;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** Resolves with the exit code once the process of the last start has ended. */
  get ended(): Promise<number | null> {
    return this.#exited;
  }

  start(): void {
    const { settings, program, environment, directory, logPath } = this.#options;
    const flags = [...settings].flatMap(([name, value]) => [`--${name}`, value]);
    const child = spawn(process.execPath, [program ?? ownProgram, 'server', ...flags], {
      env: environment ?? process.env,
      stdio: ['ignore', 'ignore', 'pipe'],
      ...(directory === undefined ? {} : { cwd: directory }),
    });
    const file = createWriteStream(logPath, { flags: 'a' });
    // The directory may go before the last line is written; that line is nobody's loss.
    file.on('error', () => file.destroy());
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      child.once('exit', (code) => resolve(code));
      child.once('error', () => resolve(null));
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      file.write(chunk);
      this.log.push(chunk.toString());
      if (this.log.length > logChunksMax) this.log.shift();
    });
    child.stderr?.once('close', () => file.end());
  }

  /** Sends a signal that ends the process; resolves once it has ended. */
  async kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    if (this.#child === undefined || this.#child.exitCode !== null) return this.#exited;
    this.#child.kill(signal);
    return this.#exited;
  }

  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Resolves once `/readyz` says so; rejects once the process has ended. */
  async ready(withinMs = 30_000): Promise<void> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const answer = await this.#ask('/readyz');
      if (answer?.status === 200) return;
      if (!this.isRunning)
        throw new HighwaterError('SHUTTING_DOWN', `node ${this.id} ended before it was ready`);
      if (performance.now() > deadline)
        throw new HighwaterError(
          'DEADLINE_EXCEEDED',
          `node ${this.id} is not ready: ${answer?.text ?? 'no answer'}\n${this.log.slice(-20).join('')}`,
        );
      await new Promise((resolve) => setTimeout(resolve, askEveryMs));
    }
  }

  /** The value of a metric without labels; undefined if the node does not tell. */
  async metric(name: string): Promise<number | undefined> {
    const lines = (await this.#ask('/metrics'))?.text.split('\n') ?? [];
    const line = lines.find((one) => one.startsWith(`${name} `));
    return line === undefined ? undefined : Number(line.slice(name.length + 1));
  }

  #ask(path: string): Promise<{ status: number; text: string } | undefined> {
    return new Promise((resolve) => {
      const request = get(`http://${this.http}${path}`, { timeout: 1_000 }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
        response.on('error', () => resolve(undefined));
      });
      request.on('error', () => resolve(undefined));
      request.on('timeout', () => request.destroy());
    });
  }
}
