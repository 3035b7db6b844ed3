/** `highwater dev`: a whole cluster on this machine with its dashboard, ready to be tried. */
import { join, resolve } from 'node:path';
import type { Output } from '../../client/cli/output.ts';
import { exitCodes, UsageError, type Verb, type VerbInput } from '../../client/cli/verb.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import { nodeFileSystem } from '../../proto/ports/node/node-file-system.ts';
import { Cluster } from './cluster.ts';
import { type DevLayout, devLayout, usualPort } from './dev-layout.ts';
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
  tellStopping(input.output);
  await front.close();
  return exitCodes.done;
}

async function runProcesses(input: VerbInput): Promise<number> {
  const directory = resolve(input.option('data') ?? './data');
  const count = nodeCount(input);
  const layout = await devLayout(directory, { count, port: usualPort, hasProxies: true });
  const lock = await nodeFileSystem({}).lock(join(directory, 'cluster.lock'));
  if (lock === undefined)
    throw new HighwaterError(
      'INVALID_CONFIG',
      `the cluster of ${directory} is running already: stop it first, or choose another --data`,
    );
  try {
    const cluster = await startProcesses(layout, directory);
    try {
      return await serveProcesses(input, layout, cluster);
    } finally {
      await cluster.stop();
    }
  } catch (caught) {
    throw portTaken(caught, directory) ?? caught;
  } finally {
    await lock.release();
  }
}

async function serveProcesses(
  { output, signal }: VerbInput,
  layout: DevLayout,
  { nodes, network }: DevProcesses,
): Promise<number> {
  const began = performance.now();
  const ready = Promise.all(nodes.map((node) => node.ready(60_000))).then(
    () => 'ready' as const,
    () => 'late' as const,
  );
  const first = await Promise.race([...nodes.map(endOf), aborted(signal), ready]);
  if (first !== 'ready') return tellFailure(output, first);
  const front = await startFront(new ProcessControl(nodes, network), layout.front);
  tell(output, {
    dashboard: front.address,
    brokers: layout.nodes.map((node) => node.grpc),
    ms: performance.now() - began,
  });
  await aborted(signal);
  tellStopping(output);
  await front.close();
  return exitCodes.done;
}

/** It was stopped before it was ready, or a node could not start: what it said last is why. */
function tellFailure(
  output: Output,
  why: { readonly node: ProcessNode; readonly code: number | null } | 'late' | undefined,
): number {
  if (why === undefined) return exitCodes.done;
  if (why === 'late') output.note('the nodes are not ready after a minute; their logs say why');
  else {
    const { node, code } = why;
    const said = node.log.join('').split('\n');
    for (const line of said.filter((one) => one !== '' && !one.startsWith('{')).slice(-5))
      output.note(`node ${node.id}: ${line}`);
    output.note(`node ${node.id} ended with code ${code ?? 'none'}; its log: ${node.logPath}`);
  }
  return exitCodes.failed;
}

/** A directory keeps its ports, because its nodes know each other by them. */
function portTaken(caught: unknown, directory: string): HighwaterError | undefined {
  const { code, port } = caught as { readonly code?: string; readonly port?: number };
  if (code !== 'EADDRINUSE') return undefined;
  return new HighwaterError(
    'INVALID_CONFIG',
    `port ${port ?? ''}, which the cluster of ${directory} has, is taken by another program: end that, or choose another --data`,
    { cause: caught },
  );
}

function tellStopping(output: Output): void {
  output.note('Stopping; another Ctrl-C ends at once.');
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
