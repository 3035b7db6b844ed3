/**
 * `highwater server` on a disk that tests can spoil: unflushed bytes go with the process, and whatever
 * the file of troubles says happens. The node itself is the product's.
 */

import { readConfiguration } from '../../../broker/main/configuration.ts';
import { createNodeMachine, type Machine } from '../../../broker/main/machine.ts';
import { serve, serverVerb } from '../../../broker/main/server-verb.ts';
import { runCommandLine } from '../../../client/cli/command-line.ts';
import type { NodeSettings } from '../../../proto/model/node-settings.ts';
import { TroubleWatch } from './trouble.ts';
import { TroubledFileSystem } from './troubled-file-system.ts';
import { troubledKeyValueOpener } from './troubled-key-value.ts';

function spoiledMachine(settings: NodeSettings): Machine {
  const machine = createNodeMachine(settings, 'lossy');
  const watch = TroubleWatch.start(machine.absolutePath(settings.get('data') ?? ''));
  return {
    ...machine,
    fileSystem: new TroubledFileSystem(machine.fileSystem, watch),
    keyValue: troubledKeyValueOpener(machine.keyValue, watch),
  };
}

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort(name));
const { name, summary } = serverVerb;
const server = {
  ...serverVerb,
  run(input: Parameters<typeof serverVerb.run>[0]) {
    const settings = readConfiguration(input);
    return serve(settings, spoiledMachine(settings), input);
  },
};
process.exitCode = await runCommandLine(
  process.argv.slice(2),
  [{ name, summary, load: () => Promise.resolve(server) }],
  { out: process.stdout, err: process.stderr, signal: stop.signal, environment: process.env },
);
