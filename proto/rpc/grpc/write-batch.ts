import type { RpcBytes } from '../../ports/rpc.ts';
import { Rope } from './rope.ts';
import { ropeSupport } from './rope-support.ts';

/** A batch as grpc-js frames it: a rope if that is proven to work, otherwise its one message joined. */
export function messageOf(batch: readonly RpcBytes[]): Buffer {
  if (ropeSupport.isProven) return new Rope(batch) as unknown as Buffer;
  return Buffer.concat(batch.flat());
}
