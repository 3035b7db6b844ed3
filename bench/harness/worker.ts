/**
 * Contenders run in processes of their own, so that the heap, the compiler's guesses and the event
 * loop of one do not colour the other. The parent asks, one request at a time; the worker answers.
 * Requests and answers are plain objects; what a worker prints goes to standard error.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** One worker process, from the parent's side. */
export interface Worker<Request, Answer> {
  /** Process id, for CPU and memory readings. */
  readonly pid: number;
  /** Rejects if the worker fails or ends. */
  ask(request: Request): Promise<Answer>;
  /** Ends the process, at the latest after two seconds. */
  close(): Promise<void>;
}

type Reply<Answer> = { readonly answer: Answer } | { readonly failure: string };

/**
 * Of every worker, ours, the peers' and the bare ones alike: V8 counts received bytes against a limit made
 * for small heaps, and would mark a client's whole heap ten times a second (`docs/client.md`).
 */
export const workerFlags = ['--expose-gc', '--heap-growing-percent=1000'] as const;

/** Starts a worker file; `argv` reaches its `process.argv`. TypeScript files run through tsx. */
export function startWorker<Request extends object, Answer>(
  file: URL,
  argv: readonly string[] = [],
): Worker<Request, Answer> {
  const path = fileURLToPath(file);
  const child = fork(path, [...argv], {
    execArgv: path.endsWith('.ts') ? ['--import', 'tsx', ...workerFlags] : [...workerFlags],
    serialization: 'advanced',
    stdio: ['ignore', 2, 2, 'ipc'],
  });
  return {
    pid: child.pid ?? 0,
    ask: (request) => askOnce<Answer>(child, request),
    close: () => closeWorker(child),
  };
}

/** In the worker: answers every request until the parent goes away. */
export function serveWorker(answerTo: (request: never) => unknown): void {
  process.on('message', (request) => {
    void reply(async () => answerTo(request as never));
  });
  process.on('disconnect', () => process.exit(0));
}

async function reply(run: () => Promise<unknown>): Promise<void> {
  try {
    process.send?.({ answer: await run() } satisfies Reply<unknown>);
  } catch (caught) {
    const failure = caught instanceof Error ? (caught.stack ?? caught.message) : String(caught);
    process.send?.({ failure } satisfies Reply<unknown>);
  }
}

async function askOnce<Answer>(child: ChildProcess, request: object): Promise<Answer> {
  const abort = new AbortController();
  const { signal } = abort;
  try {
    const ended = once(child, 'exit', { signal });
    const answered = once(child, 'message', { signal });
    child.send(request);
    const [first] = (await Promise.race([answered, ended])) as [unknown];
    if (typeof first !== 'object' || first === null) {
      throw new Error(`a worker ended before it answered (exit code ${String(first)})`);
    }
    const message = first as Reply<Answer>;
    if ('failure' in message) throw new Error(`a worker failed: ${message.failure}`);
    return message.answer;
  } finally {
    abort.abort();
  }
}

async function closeWorker(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  if (child.connected) child.disconnect();
  const timer = setTimeout(() => child.kill('SIGKILL'), 2_000);
  await ended;
  clearTimeout(timer);
}
