/** A server of a peer: started, watched until it is ready, ended by its own id. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';

export interface PeerCommand {
  readonly command: string;
  readonly argv: readonly string[];
  readonly logPath: string;
  /** Where it listens once it is ready. */
  readonly port: number;
}

export class PeerProcess {
  readonly #command: PeerCommand;
  #child: ChildProcess | undefined;

  constructor(command: PeerCommand) {
    this.#command = command;
    this.start();
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  start(): void {
    const { command, argv, logPath } = this.#command;
    const log = openSync(logPath, 'a');
    this.#child = spawn(command, [...argv], { stdio: ['ignore', log, log] });
    closeSync(log);
  }

  /** Resolves once the port answers; rejects with the end of the log if the process ends before. */
  async listens(withinMs = 180_000): Promise<void> {
    const { port, logPath } = this.#command;
    const deadline = Date.now() + withinMs;
    while (!(await answersAt(port))) {
      if (this.#child?.exitCode !== null || Date.now() > deadline)
        throw new Error(
          `a peer does not listen on ${port}: ${readFileSync(logPath, 'utf8').slice(-2_000)}`,
        );
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Sends a signal; for SIGKILL and SIGTERM, resolves once the process has ended. */
  async signal(name: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ends = name === 'SIGKILL' || name === 'SIGTERM';
    const ended = ends ? once(child, 'exit') : Promise.resolve();
    child.kill(name);
    await ended;
  }
}

async function answersAt(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(1_000) });
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
