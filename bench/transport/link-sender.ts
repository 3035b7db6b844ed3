/**
 * The sending process: serves the peer link and a plain socket, on one port each. Both send the same
 * bytes in the same writes: batches of 1 MiB, heads and payloads as pieces of one write, at most two
 * batches under way.
 */
import net from 'node:net';
import { encodeFrameHead, frameType } from '../../proto/link/frame.ts';
import { crc32c } from '../../proto/wire/crc32c.ts';
import { serveWorker } from '../harness/worker.ts';
import { createBenchEndpoint } from './link-endpoint.ts';
import { batchBytes, createPayloads, decodeGo, type Go, messageHeaderBytes } from './link-wire.ts';

export interface SenderPorts {
  readonly link: number;
  readonly raw: number;
}

const payloadOf = createPayloads();
const plainHeader = Buffer.alloc(messageHeaderBytes);

async function serveLink(): Promise<number> {
  const endpoint = createBenchEndpoint(1);
  endpoint.accept('replication', (stream) => {
    let go: Go = { messageBytes: 0, count: 0 };
    let next = 0;
    const push = (): void => {
      while (next < go.count) {
        const payload = payloadOf(go.messageBytes, next);
        next += 1;
        if (!stream.send(plainHeader, [payload])) return;
      }
    };
    return {
      onFrame: (header) => {
        go = decodeGo(header);
        next = 0;
        push();
      },
      onDrain: push,
      onClose() {},
    };
  });
  // The checking stream: every message carries the checksum of its payload.
  endpoint.accept('control', (stream) => ({
    onFrame: (bytes) => {
      const { messageBytes, count } = decodeGo(bytes);
      for (let index = 0; index < count; index++) {
        const payload = payloadOf(messageBytes, index);
        const header = Buffer.alloc(messageHeaderBytes);
        header.writeUInt32BE(crc32c(payload), 0);
        stream.send(header, [payload]);
      }
    },
    onClose() {},
  }));
  return endpoint.listen('127.0.0.1', 0);
}

function serveRaw(): Promise<number> {
  const server = net.createServer({ noDelay: true }, (socket) => {
    socket.on('data', (bytes: Buffer) => sendRaw(socket, decodeGo(bytes)));
    socket.on('error', () => {});
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

function sendRaw(socket: net.Socket, go: Go): void {
  let next = 0;
  let unsent = 0;
  const push = (): void => {
    while (next < go.count && unsent < batchBytes) {
      let bytes = 0;
      socket.cork();
      while (next < go.count && bytes < batchBytes) {
        const payload = payloadOf(go.messageBytes, next);
        next += 1;
        const head = encodeFrameHead(frameType.data, 1, plainHeader, payload.length);
        bytes += head.length + payload.length;
        const isLast = next === go.count || bytes >= batchBytes;
        socket.write(head);
        const size = bytes;
        if (isLast) socket.write(payload, () => taken(size));
        else socket.write(payload);
      }
      socket.uncork();
      unsent += bytes;
    }
  };
  const taken = (bytes: number): void => {
    unsent -= bytes;
    push();
  };
  push();
}

serveWorker(async (): Promise<SenderPorts> => ({ link: await serveLink(), raw: await serveRaw() }));
