#!/usr/bin/env node
/** The `highwater` command: finds the verb, loads it, runs it. Nothing else is loaded before. */
import { verbs } from './verbs.ts';
import { packageVersion } from './version.ts';

process.env['UV_THREADPOOL_SIZE'] ??= '16';

const { runCommandLine } = await import('../../client/cli/command-line.ts');
const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort(name));

process.exitCode = await runCommandLine(process.argv.slice(2), verbs, {
  out: process.stdout,
  err: process.stderr,
  signal: stop.signal,
  environment: process.env,
  version: () => `${packageVersion()}, Node ${process.version}`,
});
