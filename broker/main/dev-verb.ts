/** `highwater dev`: a whole cluster on this machine, ready to be tried. */

import { get } from 'node:http';
import { resolve } from 'node:path';
import type { Output } from '../../client/cli/output.ts';
import { exitCodes, UsageError, type Verb, type VerbInput } from '../../client/cli/verb.ts';
import { Cluster } from './cluster.ts';
import { type DevLayout, devLayout, usualPort } from './dev-layout.ts';
import { type DevProcess, startProcesses } from './dev-processes.ts';

export const devVerb: Verb = {
  name: 'dev',
  summary: 'Run a whole cluster on this machine.',
  options: [
    { name: 'nodes', value: 'COUNT', meaning: 'How many nodes (default 3, or what --data holds).' },
    { name: 'processes', meaning: 'One process for each node instead of all in one.' },
    {
      name: 'data',
      value: 'DIR',
      meaning: 'Keep data here (default: a temporary directory that goes with the cluster).',
    },
  ],
  examples: ['highwater dev', 'highwater dev --processes --data ./data', 'highwater dev --nodes 1'],
  run: (input) => (input.has('processes') ? runProcesses(input) : runInProcess(input)),
};

async function runInProcess(input: VerbInput): Promise<number> {
  const began = performance.now();
  const count = nodeCount(input);
  const data = input.option('data');
  await using cluster = await Cluster.start({
    port: usualPort,
    ...(count === undefined ? {} : { nodes: count }),
    ...(data === undefined ? {} : { data: resolve(data) }),
  });
  tell(input.output, cluster.brokers, undefined, performance.now() - began);
  await aborted(input.signal);
  return exitCodes.done;
}

async function runProcesses(input: VerbInput): Promise<number> {
  const began = performance.now();
  const directory = resolve(input.option('data') ?? './data');
  const layout = await devLayout(directory, nodeCount(input), usualPort);
  const processes = startProcesses(layout, directory);
  const failed = Promise.race(processes.map(async (one) => ({ one, code: await one.ended })));
  const first = await Promise.race([failed, aborted(input.signal), allReady(layout)]);
  if (first !== undefined && first !== 'ready') return ended(input.output, processes, first);
  if (first === 'ready') {
    tell(
      input.output,
      layout.nodes.map((node) => node.grpc),
      layout,
      performance.now() - began,
    );
    const end = await Promise.race([failed, aborted(input.signal)]);
    if (end !== undefined) return ended(input.output, processes, end);
  }
  await stopAll(processes);
  return exitCodes.done;
}

/** A node that ended by itself ends the cluster: its log says why. */
async function ended(
  output: Output,
  processes: readonly DevProcess[],
  { one, code }: { one: DevProcess; code: number | null },
): Promise<number> {
  output.note(`node ${one.node.id} ended with code ${code ?? 'none'}; its log: ${one.logPath}`);
  await stopAll(processes);
  return exitCodes.failed;
}

async function stopAll(processes: readonly DevProcess[]): Promise<void> {
  for (const one of processes) one.signal('SIGTERM');
  const late = setTimeout(() => {
    for (const one of processes) one.signal('SIGKILL');
  }, 20_000);
  await Promise.all(processes.map((one) => one.ended));
  clearTimeout(late);
}

async function allReady(layout: DevLayout): Promise<'ready'> {
  for (const node of layout.nodes)
    while (!(await isReady(node.http))) await new Promise((next) => setTimeout(next, 25));
  return 'ready';
}

function isReady(address: string): Promise<boolean> {
  return new Promise((answer) => {
    const request = get(`http://${address}/readyz`, { timeout: 1_000 }, (response) => {
      response.resume();
      answer(response.statusCode === 200);
    });
    request.on('error', () => answer(false));
    request.on('timeout', () => request.destroy());
  });
}

function tell(
  output: Output,
  brokers: readonly string[],
  layout: DevLayout | undefined,
  ms: number,
): void {
  const [first] = brokers;
  output.say(
    `A cluster of ${brokers.length} is ready after ${(ms / 1000).toFixed(1)} s: ${brokers.join(' ')}`,
  );
  if (layout !== undefined)
    output.say(`Health: ${layout.nodes.map((node) => `http://${node.http}/readyz`).join(' ')}`);
  output.say('');
  output.say('Try, in another terminal:');
  output.say(`  npx highwater topic create orders --partitions 3 --brokers ${first ?? ''}`);
  output.say(`  echo hello | npx highwater produce orders --brokers ${first ?? ''}`);
  output.say(`  npx highwater consume orders --from earliest --brokers ${first ?? ''}`);
  output.say('');
  output.say('Ctrl-C stops it.');
  if (output.isJson) output.value({ brokers });
}

function nodeCount(input: VerbInput): number | undefined {
  const text = input.option('nodes');
  if (text === undefined) return undefined;
  if (!/^[1-9]$/.test(text)) throw new UsageError(`--nodes ${text}: expected 1 to 9`);
  return Number(text);
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((done) => {
    if (signal.aborted) done(undefined);
    else signal.addEventListener('abort', () => done(undefined), { once: true });
  });
}
