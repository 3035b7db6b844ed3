/** What both contenders of the gRPC bench send: a request, then so many messages, then a count back. */
import type { RpcCodec, StreamMethod } from '../../proto/ports/rpc.ts';

/** A message in two parts, as the product has it: a small encoded header and a payload. */
export interface BenchMessage {
  readonly header: Buffer;
  readonly payload: Buffer;
}

export const headerBytes = 24;

const messageCodec: RpcCodec<BenchMessage> = {
  encode: (message) => [message.header, message.payload],
  decode: (bytes) => ({
    header: bytes.subarray(0, headerBytes),
    payload: bytes.subarray(headerBytes),
  }),
};

/** The stream of the product. The caller sends; the server answers once, when all have come. */
export const pour: StreamMethod<BenchMessage, BenchMessage> = {
  kind: 'stream',
  path: '/bench.v1.Transport/Pour',
  request: messageCodec,
  response: messageCodec,
};

/** The same over grpc-js alone, with buffers as messages. */
export const bareMethod = {
  pour: {
    path: '/bench.v1.Transport/Pour',
    requestStream: true,
    responseStream: true,
    requestSerialize: (bytes: Buffer): Buffer => bytes,
    requestDeserialize: (bytes: Buffer): Buffer => bytes,
    responseSerialize: (bytes: Buffer): Buffer => bytes,
    responseDeserialize: (bytes: Buffer): Buffer => bytes,
  },
};

/** What the receiver has counted, as one answer. */
export interface Tally {
  readonly messages: number;
  readonly payloadBytes: number;
  /** Messages whose checksum differs from their header's; only of checked runs. */
  readonly differing: number;
}

export function encodeTally(tally: Tally): Buffer {
  return Buffer.from(JSON.stringify(tally).padEnd(headerBytes, ' '));
}

export function decodeTally(bytes: Buffer): Tally {
  return JSON.parse(bytes.toString()) as Tally;
}

/** The first bytes of each header: how many messages follow this one, and the checksum or 0. */
export function writeHeader(header: Buffer, left: number, checksum: number): void {
  header.writeUInt32BE(left, 0);
  header.writeUInt32BE(checksum, 4);
}
