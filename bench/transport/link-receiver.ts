/**
 * The receiving process. Over the link it takes every message as a header and a payload of its own
 * and gives the credit back; over the plain socket it only counts bytes.
 */
import net from 'node:net';
import { frameHeadBytes } from '../../proto/link/frame.ts';
import { nodeId } from '../../proto/model/ids.ts';
import type { LinkStream, LinkStreamKind } from '../../proto/ports/link.ts';
import { crc32c } from '../../proto/wire/crc32c.ts';
import { serveWorker } from '../harness/worker.ts';
import { createBenchEndpoint } from './link-endpoint.ts';
import type { SenderPorts } from './link-sender.ts';
import { encodeGo, type Go, messageHeaderBytes } from './link-wire.ts';

export interface ReceiveRequest {
  readonly via: 'link' | 'raw' | 'link-checked';
  readonly ports: SenderPorts;
  readonly go: Go;
}

export interface ReceiveAnswer {
  readonly elapsedMs: number;
  readonly payloadBytes: number;
  /** Messages whose checksum differs from the sender's. */
  readonly differing: number;
}

const endpoint = createBenchEndpoint(2);

serveWorker((request: ReceiveRequest): Promise<ReceiveAnswer> => {
  globalThis.gc?.();
  switch (request.via) {
    case 'link':
      return receiveLink(request, 'replication');
    case 'link-checked':
      return receiveLink(request, 'control');
    case 'raw':
      return receiveRaw(request);
  }
});

function receiveLink(request: ReceiveRequest, kind: LinkStreamKind): Promise<ReceiveAnswer> {
  const { ports, go } = request;
  const isChecked = kind === 'control';
  return new Promise((resolve, reject) => {
    let [left, payloadBytes, differing, started] = [go.count, 0, 0, 0];
    const to = { nodeId: nodeId(1), host: '127.0.0.1', port: ports.link };
    const stream: LinkStream = endpoint.open(to, kind, {
      onOpen: () => {
        started = performance.now();
        stream.send(encodeGo(go));
      },
      onFrame: (header, payload) => {
        payloadBytes += payload.length;
        if (isChecked && header.readUInt32BE(0) !== crc32c(payload)) differing += 1;
        stream.consumed(payload.length);
        left -= 1;
        if (left > 0) return;
        resolve({ elapsedMs: performance.now() - started, payloadBytes, differing });
        stream.close();
      },
      onClose: (reason) => reject(new Error(`the stream was closed: ${reason}`)),
    });
  });
}

let raw: net.Socket | undefined;

async function receiveRaw({ ports, go }: ReceiveRequest): Promise<ReceiveAnswer> {
  raw ??= await connectRaw(ports.raw);
  const socket = raw;
  return new Promise((resolve) => {
    let left = (frameHeadBytes + messageHeaderBytes + go.messageBytes) * go.count;
    const started = performance.now();
    const count = (chunk: Buffer): void => {
      left -= chunk.length;
      if (left > 0) return;
      socket.off('data', count);
      const payloadBytes = go.messageBytes * go.count + left;
      resolve({ elapsedMs: performance.now() - started, payloadBytes, differing: 0 });
    };
    socket.on('data', count);
    socket.write(encodeGo(go));
  });
}

function connectRaw(port: number): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: '127.0.0.1', port, noDelay: true }, () => resolve(socket));
    socket.on('error', reject);
  });
}
