import type { RpcBytes } from '../../ports/rpc.ts';
import { Rope } from './rope.ts';
import { ropeSupport } from './rope-support.ts';

/**
 * Writes a batch of messages by a `send` of grpc-js: as one rope if that is proven to work, otherwise
 * one after the other. `done` is called after the last.
 */
export function writeBatch(
  batch: readonly RpcBytes[],
  send: (message: Buffer, done: () => void) => void,
  done: () => void,
): void {
  if (ropeSupport.isProven) {
    send(new Rope(batch) as unknown as Buffer, done);
    return;
  }
  const sendFrom = (index: number): void => {
    const parts = batch[index];
    if (parts === undefined) done();
    else send(Buffer.concat(parts), () => sendFrom(index + 1));
  };
  sendFrom(0);
}
