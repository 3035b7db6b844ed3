/** What clients and brokers say to each other while every method of the public surface is used. */
import { capture, capturedIds } from './captured-cluster.ts';
import { type GrpcCall, grpcProxy } from './grpc-proxy.ts';
import { useEverything } from './public-work.ts';

/** A call as it is kept: the framed messages in base64. */
export interface KeptCall {
  readonly path: string;
  readonly there: string;
  readonly back: string;
  readonly trailers: Readonly<Record<string, string>>;
}

/** Runs the cluster behind proxies that keep what passes. */
export async function captureGrpc(): Promise<readonly KeptCall[]> {
  const calls: GrpcCall[] = [];
  await capture({
    addresses: (at) => ({ listen: at(1), 'advertised-listen': at(0), 'peer-listen': at(2) }),
    voterAddress: 2,
    proxy: (port) => grpcProxy(port(0), port(1), calls),
    work: (at) => useEverything(capturedIds.map((id) => at(id, 0))),
  });
  return calls.map(({ path, there, back, trailers }) => ({
    path,
    there: Buffer.concat(there).toString('base64'),
    back: Buffer.concat(back).toString('base64'),
    trailers,
  }));
}
