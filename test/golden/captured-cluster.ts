/** The cluster whose traffic is captured: three voters and a broker, behind proxies that keep what passes. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProcessNode } from '../../broker/main/fleet/process-node.ts';
import { freePorts } from '../../broker/main/free-ports.ts';
import { program } from './capture-node.ts';

/** What a capture decides: which addresses are those of a proxy, and what the cluster does meanwhile. */
export interface Capture {
  /** The address settings of a node, but for HTTP; `at` gives its addresses 0 to 2. */
  readonly addresses: (at: (which: number) => string) => Readonly<Record<string, string>>;
  /** Under which of its addresses the others reach a voter. */
  readonly voterAddress: number;
  /** A proxy of one node, listening before the node starts. */
  readonly proxy: (
    port: (which: number) => number,
  ) => Promise<{ close(): void }> | { close(): void };
  readonly work: (at: (id: number, which: number) => string) => Promise<void>;
}

export const voters = [1, 2, 3];
/** The last one is a broker only, so that it follows the metadata over the wire. */
export const capturedIds = [...voters, 4];
const portsPerNode = 4;
const httpPort = 3;

export async function capture({ addresses, voterAddress, proxy, work }: Capture): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'highwater-golden-'));
  const ports = await freePorts(capturedIds.length * portsPerNode);
  const port = (id: number, which: number): number => ports[(id - 1) * portsPerNode + which] ?? 0;
  const at = (id: number, which: number): string => `127.0.0.1:${port(id, which)}`;
  const quorum = voters.map((id) => `${id}@${at(id, voterAddress)}`).join(',');
  const proxies: { close(): void }[] = [];
  for (const id of capturedIds) proxies.push(await proxy((which) => port(id, which)));
  const nodes = capturedIds.map(
    (id) =>
      new ProcessNode({
        id,
        program,
        settings: new Map([
          ['node-id', String(id)],
          ['data', join(directory, `node-${id}`)],
          ['quorum', quorum],
          ['roles', voters.includes(id) ? 'broker,controller' : 'broker'],
          ...Object.entries(addresses((which) => at(id, which))),
          ['http-listen', at(id, httpPort)],
          ['disk-reserve-bytes', '0'],
        ]),
        logPath: join(directory, `node-${id}.log`),
      }),
  );
  for (const node of nodes) node.start();
  try {
    await Promise.all(nodes.map((node) => node.ready()));
    await work(at);
  } finally {
    await Promise.all(nodes.map((node) => node.kill('SIGKILL')));
    for (const one of proxies) one.close();
    await rm(directory, { recursive: true, force: true });
  }
}
