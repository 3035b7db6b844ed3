/** `highwater dev`: a whole cluster on this machine with its dashboard, ready to be tried. */
import { resolve } from 'node:path';
import type { Output } from '../../client/cli/output.ts';
import { exitCodes, UsageError, type Verb, type VerbInput } from '../../client/cli/verb.ts';
import { Cluster } from './cluster.ts';
import { devLayout, usualPort } from './dev-layout.ts';
import { type DevProcesses, startProcesses } from './dev-processes.ts';
import type { ProcessNode } from './fleet/process-node.ts';
import { startFront } from './front/front.ts';
import { InProcessControl } from './front/in-process-control.ts';
import { ProcessControl } from './front/process-control.ts';

export const devVerb: Verb = {
  name: 'dev',
  summary: 'Run a whole cluster on this machine, with its dashboard.',
  isService: true,
  options: [
    { name: 'nodes', value: 'COUNT', meaning: 'How many nodes (default 3, or what --data holds).' },
    { name: 'processes', meaning: 'One process for each node instead of all in one.' },
    {
      name: 'data',
      value: 'DIR',
      meaning:
        'Keep data here (default: ./data with --processes, else a temporary directory that goes with the cluster).',
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
  const front = await startFront(new InProcessControl(cluster), cluster.frontPort);
  tell(input.output, {
    dashboard: front.address,
    brokers: cluster.brokers,
    ms: performance.now() - began,
  });
  await aborted(input.signal);
  await front.close();
  return exitCodes.done;
}

async function runProcesses(input: VerbInput): Promise<number> {
  const { output, signal } = input;
  const began = performance.now();
  const directory = resolve(input.option('data') ?? './data');
  const count = nodeCount(input);
  const layout = await devLayout(directory, { count, port: usualPort, hasProxies: true });
  const cluster = await startProcesses(layout, directory);
  const { nodes, network } = cluster;
  const ready = Promise.all(nodes.map((node) => node.ready(60_000))).then(
    () => 'ready' as const,
    () => 'late' as const,
  );
  const first = await Promise.race([...nodes.map(endOf), aborted(signal), ready]);
  if (first !== 'ready') return refuse(cluster, output, first);
  const front = await startFront(new ProcessControl(nodes, network), layout.front);
  tell(output, {
    dashboard: front.address,
    brokers: layout.nodes.map((node) => node.grpc),
    ms: performance.now() - began,
  });
  await aborted(signal);
  await front.close();
  await cluster.stop();
  return exitCodes.done;
}

/** It was stopped before it was ready, or a node could not start: its log says why. */
async function refuse(
  cluster: DevProcesses,
  output: Output,
  why: { readonly node: ProcessNode; readonly code: number | null } | 'late' | undefined,
): Promise<number> {
  if (typeof why === 'object')
    output.note(
      `node ${why.node.id} ended with code ${why.code ?? 'none'}; its log: ${why.node.logPath}`,
    );
  else if (why === 'late')
    output.note('the nodes are not ready after a minute; their logs say why');
  await cluster.stop();
  return why === undefined ? exitCodes.done : exitCodes.failed;
}

async function endOf(
  node: ProcessNode,
): Promise<{ readonly node: ProcessNode; readonly code: number | null }> {
  return { node, code: await node.ended };
}

interface Running {
  readonly dashboard: string;
  readonly brokers: readonly string[];
  readonly ms: number;
}

function tell(output: Output, { dashboard, brokers, ms }: Running): void {
  const [first = ''] = brokers;
  // The usual port is what the commands try by themselves.
  const at = first === `127.0.0.1:${usualPort}` ? '' : ` --brokers ${first}`;
  output.say(`Dashboard  ${dashboard}`);
  output.say(`Brokers    ${brokers.join(' ')}`);
  output.say(
    `           ${brokers.length === 1 ? 'one node is' : `${brokers.length} nodes are`} ready after ${(ms / 1000).toFixed(1)} s`,
  );
  output.say('');
  output.say('Try, in another terminal:');
  output.say(`  npx highwater topic create orders --partitions 3${at}`);
  output.say(`  seq 1 1000 | npx highwater produce orders${at}`);
  output.say(`  npx highwater consume orders --from earliest${at}`);
  output.say('');
  output.say('Then kill a node with its button in the dashboard. Ctrl-C stops everything.');
  if (output.isJson) output.value({ dashboard, brokers });
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
