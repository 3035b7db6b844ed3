import { expect } from 'vitest';
import { HighwaterError } from '../../../proto/model/errors.ts';
import type { RpcCallContext, RpcChannel, RpcServer, RpcStream } from '../../../proto/ports/rpc.ts';
import { chat } from './raw-methods.ts';
import { deferred, StreamProbe } from './stream-probe.ts';

/** A server and a channel to it; the in-memory bed also makes time pass. */
export interface RpcBed {
  readonly server: RpcServer;
  /** Starts the server and opens a channel to it. */
  start(): Promise<RpcChannel>;
  /** A channel to an address where nobody listens. */
  nowhere(): RpcChannel;
  /** Breaks the connection of the channel under what is open. */
  breakConnections(): void;
  /** Calls back a moment later. */
  later(callback: () => void): void;
  /** Waits for the promise while time passes. */
  settled<Value>(promise: Promise<Value>): Promise<Value>;
  close(): Promise<void>;
}

/** Deadline of calls that are not about deadlines. */
export const deadlineMs = 5_000;

export const text = (value: string) => Buffer.from(value);

/** What a call that must fail is rejected with. */
export function rejection(promise: Promise<unknown>): Promise<HighwaterError> {
  return promise.then(
    () => expect.unreachable('the call must fail'),
    (error: unknown) => HighwaterError.from(error),
  );
}

/** The same while time passes. */
export function failure(bed: RpcBed, promise: Promise<unknown>): Promise<HighwaterError> {
  return bed.settled(rejection(promise));
}

/** An open chat stream with a probe on each side. */
export interface Chat {
  readonly channel: RpcChannel;
  readonly client: StreamProbe;
  readonly stream: RpcStream<Buffer>;
  readonly probe: StreamProbe;
  readonly server: { readonly stream: RpcStream<Buffer>; readonly context: RpcCallContext };
}

/** Starts the bed and opens a chat stream over it. */
export async function openChat(bed: RpcBed): Promise<Chat> {
  const probe = new StreamProbe();
  const opened = deferred<Chat['server']>();
  bed.server.stream(chat, (stream, context) => {
    opened.resolve({ stream, context });
    return probe;
  });
  const channel = await bed.start();
  const client = new StreamProbe();
  const stream = channel.stream(chat, client, { headers: { authorization: 'Bearer t' } });
  const server = await bed.settled(opened.promise);
  return { channel, client, stream, probe, server };
}
