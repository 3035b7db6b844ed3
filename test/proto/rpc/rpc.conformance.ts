import { describeClosing } from './closing.conformance.ts';
import type { RpcBed } from './rpc-bed.ts';
import { describeStreams } from './stream.conformance.ts';
import { describeUnary } from './unary.conformance.ts';

/** What every implementation of the RPC port does, whatever is below. */
export function describeRpc(name: string, makeBed: () => RpcBed): void {
  describeUnary(name, makeBed);
  describeStreams(name, makeBed);
  describeClosing(name, makeBed);
}
