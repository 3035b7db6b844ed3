/** HTTP/2 frames by hand, for what no HTTP/2 library would send. */
import { connect } from 'node:net';

export const frameTypes = {
  ...{ data: 0, headers: 1, rstStream: 3, settings: 4, ping: 6, goaway: 7 },
  ...{ windowUpdate: 8, continuation: 9 },
} as const;

export const endHeaders = 0x4;

/** One frame; the length may be a lie. */
export function h2Frame(
  head: { readonly type: number; readonly flags?: number; readonly stream?: number },
  payload: Uint8Array,
  length: number = payload.length,
): Buffer {
  const bytes = Buffer.alloc(9 + payload.length);
  bytes.writeUIntBE(length, 0, 3);
  bytes.writeUInt8(head.type, 3);
  bytes.writeUInt8(head.flags ?? 0, 4);
  bytes.writeUInt32BE(head.stream ?? 0, 5);
  bytes.set(payload, 9);
  return bytes;
}

const preface = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  h2Frame({ type: frameTypes.settings }, Buffer.alloc(0)),
]);

/** The header block of a gRPC call, without Huffman codes or an index. */
export function headerBlock(path: string, extra: Readonly<Record<string, string>> = {}): Buffer {
  const headers = {
    ...{ ':method': 'POST', ':scheme': 'http', ':path': path, ':authority': 'x' },
    ...{ 'content-type': 'application/grpc', te: 'trailers' },
    ...extra,
  };
  return Buffer.concat(
    Object.entries(headers).flatMap(([name, value]) => [
      Buffer.of(0, name.length),
      Buffer.from(name),
      Buffer.of(value.length),
      Buffer.from(value),
    ]),
  );
}

/** Sends the preface and the bytes on a connection of their own; resolves once that is closed. */
export function sendFrames(port: number, frames: readonly Uint8Array[]): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(Buffer.concat([preface, ...frames]));
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve());
    socket.resume();
  });
}
