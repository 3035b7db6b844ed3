/** `highwater server`: one node, until it is told to stop. */
import { exitCodes, type Verb, type VerbInput } from '../../client/cli/verb.ts';
import { type NodeSettings, nodeSettings } from '../../proto/model/node-settings.ts';
import { readConfiguration } from './configuration.ts';
import { allowGarbage } from './garbage-collection.ts';
import { createNodeMachine, type Machine, type NodeMachine } from './machine.ts';
import { sharesOf } from './memory-shares.ts';
import { startNode } from './node.ts';

export const serverVerb: Verb = {
  name: 'server',
  summary: 'Run one node of a cluster.',
  isService: true,
  options: [
    {
      name: 'config',
      value: 'FILE',
      meaning: 'Settings as one JSON object (default highwater.json if it exists).',
    },
    ...nodeSettings.map((row) =>
      row.form.kind === 'boolean'
        ? { name: row.name, meaning: row.meaning }
        : {
            name: row.name,
            value: 'VALUE',
            meaning: `${row.meaning}${row.default === undefined || row.default === '' ? '' : ` [${row.default}]`}`,
          },
    ),
  ],
  examples: [
    'highwater server --data ./data',
    'highwater server --node-id 2 --quorum 1@a:9093,2@b:9093,3@c:9093 --listen 0.0.0.0:9092 --tls-cert node.pem --tls-key node.key',
  ],
  async run(input) {
    const settings = readConfiguration(input);
    const machine = createNodeMachine(settings, input.environment['HIGHWATER_TEST_DISK']);
    if (settings.get('tls-cert') === '') return serve(settings, machine, input);
    const stop = followCertificates(machine);
    return serve(settings, machine, input).finally(stop);
  },
};

/** Beside the signal: whoever renews the files need not know of this process. */
const certificatesCheckMs = 60_000;

function followCertificates(machine: NodeMachine): () => void {
  const renew = (): void => machine.renewCertificates();
  process.on('SIGHUP', renew);
  const timer = setInterval(renew, certificatesCheckMs).unref();
  return () => {
    clearInterval(timer);
    process.off('SIGHUP', renew);
  };
}

/** Runs a node on this machine until it is told to stop, or fails; resolves to the exit code. */
export async function serve(
  settings: NodeSettings,
  machine: Machine,
  { signal, output }: Pick<VerbInput, 'signal' | 'output'>,
): Promise<number> {
  allowGarbage(sharesOf(Number(settings.get('memory-bytes'))).garbageBytes);
  const node = await startNode(settings, machine, signal);
  const { grpc, peer, http } = node.addresses;
  output.value({ node: node.nodeId, grpc, peer, http });
  const failure = await Promise.race([node.failed, aborted(signal)]);
  if (failure !== undefined) {
    machine.logger.error('node-failed', 'The node ends: what it relies on has failed.', {
      error: failure,
    });
    machine.flushLog();
    // What failed may keep the process alive; recovery is the ordinary start.
    process.exit(exitCodes.failed);
  }
  await node.stop();
  machine.flushLog();
  return exitCodes.done;
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}
