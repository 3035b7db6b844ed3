/** `highwater log dump` and `highwater log verify`: the files of a stopped node, read and checked. */
import { resolve } from 'node:path';
import { exitCodes, UsageError, type Verb, type VerbInput } from '../../client/cli/verb.ts';
import { lmdbKeyValueOpener } from '../../proto/ports/node/lmdb-key-value.ts';
import { nodeClock } from '../../proto/ports/node/node-clock.ts';
import { nodeFileSystem } from '../../proto/ports/node/node-file-system.ts';
import { type LogKey, logName, parseLogName } from '../log/log-key.ts';
import { dumpLog } from '../log/tools/log-dump.ts';
import { type VerifyReport, verifyLogs } from '../log/tools/log-verify.ts';
import { type StoppedDirectory, withStoppedDirectory } from '../log/tools/stopped-directory.ts';

const dataOption = {
  name: 'data',
  value: 'DIR',
  meaning: 'Data directory of a stopped node.',
  default: './data',
};

export const logVerifyVerb: Verb = {
  name: 'log verify',
  summary: 'Check the logs of a stopped node.',
  positionals: ['[log...]'],
  options: [dataOption],
  examples: [
    'highwater log verify --data ./data/node-1',
    'highwater log verify --data ./data/node-1 --json',
  ],
  run: (input) =>
    open(input, async (directory) => {
      const keys =
        input.positionals.length === 0 ? directory.store.keys() : input.positionals.map(keyOf);
      const { logs, batches, bytes, torn, faults } = await verifyLogs(
        directory,
        keys,
        tellProgress(input),
      );
      if (faults.length > 0)
        input.output.rows(
          ['log', 'file', 'position', 'reason'],
          faults.map((fault) => ({ ...fault })),
        );
      input.output.value({ logs, batches, bytes, torn, faults: faults.length });
      return faults.length === 0 ? exitCodes.done : exitCodes.notAsClaimed;
    }),
};

/** Between two lines of progress. */
const progressMs = 1_000;

function tellProgress({ output }: VerbInput): (sofar: VerifyReport) => void {
  let toldMs = performance.now();
  return ({ logs, batches, bytes, faults }) => {
    const nowMs = performance.now();
    if (nowMs - toldMs < progressMs) return;
    toldMs = nowMs;
    const megabytes = Math.floor(bytes / 1e6);
    output.note(
      `${logs} logs, ${batches} batches, ${megabytes} MB, ${faults.length} faults so far`,
    );
  };
}

export const logDumpVerb: Verb = {
  name: 'log dump',
  summary: 'Print the batches or records of one log of a stopped node.',
  positionals: ['[log]'],
  options: [
    dataOption,
    { name: 'records', meaning: 'Print records instead of batches.' },
    { name: 'from', value: 'OFFSET', meaning: 'First offset.', default: '0' },
    { name: 'to', value: 'OFFSET', meaning: 'Offset to stop before (default: the end).' },
  ],
  examples: [
    'highwater log dump --data ./data/node-1',
    'highwater log dump <topic id>-0 --records --data ./data/node-1 --json',
  ],
  run: (input) =>
    open(input, async (directory) => {
      const [name] = input.positionals;
      if (name === undefined) {
        input.output.rows(
          ['log'],
          Array.from(directory.store.keys(), (key) => ({ log: logName(key) })),
        );
        return exitCodes.done;
      }
      const to = input.option('to');
      const request = {
        key: keyOf(name),
        from: offsetOf('from', input.option('from') ?? '0'),
        to: to === undefined ? Number.MAX_SAFE_INTEGER : offsetOf('to', to),
        what: input.has('records') ? ('records' as const) : ('batches' as const),
      };
      await dumpLog(directory, request, (line) => {
        const row = Object.fromEntries(
          Object.entries(line).map(([key, value]) => [key, value ?? undefined]),
        );
        if (input.output.isJson) input.output.value(row);
        else
          input.output.say(
            Object.entries(row)
              .map(([key, value]) => `${key}=${String(value)}`)
              .join(' '),
          );
      });
      return exitCodes.done;
    }),
};

function open(
  input: VerbInput,
  work: (directory: StoppedDirectory) => Promise<number>,
): Promise<number> {
  const ports = {
    fs: nodeFileSystem({}),
    stores: lmdbKeyValueOpener({ clock: nodeClock }),
    clock: nodeClock,
  };
  return withStoppedDirectory(ports, resolve(input.option('data') ?? './data'), work);
}

function keyOf(name: string): LogKey {
  const key = parseLogName(name);
  if (key === undefined)
    throw new UsageError(
      `${JSON.stringify(name)} names no log: expected <topic id>-<partition>; without a name the logs are listed`,
    );
  return key;
}

function offsetOf(name: string, text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`--${name} ${text}: expected an offset`);
  return Number(text);
}
