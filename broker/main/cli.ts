#!/usr/bin/env node
/**
 * The `highwater` command: finds the verb, loads it, runs it. Nothing else is loaded before, so that an
 * old Node is told what it lacks instead of failing at what it does not know.
 */
import { refusalOf } from './node-version.ts';
import { verbs } from './verbs.ts';
import { packageVersion } from './version.ts';

const refusal = refusalOf(process.versions.node);
if (refusal !== undefined) {
  process.stderr.write(`highwater: ${refusal}\n`);
  process.exit(1);
}

process.env['UV_THREADPOOL_SIZE'] ??= '16';
// What a library calls that Node would rather not have called is nothing that a user could change.
process.noDeprecation = true;

/** A terminal, and npm between, may give one Ctrl-C twice. */
const againAfterMs = 500;
const interrupted = 130;

const { runCommandLine } = await import('../../client/cli/command-line.ts');
const stop = new AbortController();
let stopMs: number | undefined;
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.on(name, () => {
    const nowMs = performance.now();
    stopMs ??= nowMs;
    // Whoever asks twice does not want to wait for an orderly end.
    if (nowMs - stopMs > againAfterMs) process.exit(interrupted);
    stop.abort(name);
  });
// A reader that has left is an error event, which would end the process if nobody listened.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

process.exitCode = await runCommandLine(process.argv.slice(2), verbs, {
  out: process.stdout,
  err: process.stderr,
  signal: stop.signal,
  environment: process.env,
  version: () => `${packageVersion()}, Node ${process.version}`,
});
