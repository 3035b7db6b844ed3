/** What clients and brokers say to each other while every method of the public surface is used. */
import { mkdtemp, rm } from 'node:fs/promises';
import type { Http2Server } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProcessNode } from '../../broker/main/fleet/process-node.ts';
import { freePorts } from '../../broker/main/free-ports.ts';
import { program } from './capture-node.ts';
import { type GrpcCall, grpcProxy } from './grpc-proxy.ts';
import { useEverything } from './public-work.ts';

/** A call as it is kept: the framed messages in base64. */
export interface KeptCall {
  readonly path: string;
  readonly there: string;
  readonly back: string;
  readonly trailers: Readonly<Record<string, string>>;
}

const voters = [1, 2, 3];
const ids = [...voters, 4];
const portsPerNode = 4;

/** Runs the cluster behind proxies that keep what passes. */
export async function captureGrpc(): Promise<readonly KeptCall[]> {
  const directory = await mkdtemp(join(tmpdir(), 'highwater-golden-'));
  const ports = await freePorts(ids.length * portsPerNode);
  const port = (id: number, which: number): number => ports[(id - 1) * portsPerNode + which] ?? 0;
  const quorum = voters.map((id) => `${id}@127.0.0.1:${port(id, 2)}`).join(',');
  const calls: GrpcCall[] = [];
  const proxies: Http2Server[] = [];
  for (const id of ids) proxies.push(await grpcProxy(port(id, 0), port(id, 1), calls));
  const nodes = ids.map(
    (id) =>
      new ProcessNode({
        id,
        program,
        settings: new Map([
          ['node-id', String(id)],
          ['data', join(directory, `node-${id}`)],
          ['quorum', quorum],
          ['roles', voters.includes(id) ? 'broker,controller' : 'broker'],
          ['listen', `127.0.0.1:${port(id, 1)}`],
          ['advertised-listen', `127.0.0.1:${port(id, 0)}`],
          ['peer-listen', `127.0.0.1:${port(id, 2)}`],
          ['http-listen', `127.0.0.1:${port(id, 3)}`],
          ['disk-reserve-bytes', '0'],
        ]),
        logPath: join(directory, `node-${id}.log`),
      }),
  );
  for (const node of nodes) node.start();
  try {
    await Promise.all(nodes.map((node) => node.ready()));
    await useEverything(ids.map((id) => `127.0.0.1:${port(id, 0)}`));
  } finally {
    await Promise.all(nodes.map((node) => node.kill('SIGKILL')));
    for (const proxy of proxies) proxy.close();
    await rm(directory, { recursive: true, force: true });
  }
  return calls.map(({ path, there, back, trailers }) => ({
    path,
    there: Buffer.concat(there).toString('base64'),
    back: Buffer.concat(back).toString('base64'),
    trailers,
  }));
}
