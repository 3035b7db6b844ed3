/** The leader: gRPC in, CRC checked, appended, passed on to two followers, acknowledged when all have it. */
import net from 'node:net';
import { ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { nextBatch } from '../../proto/wire/batch-scan.ts';
import { serveWorker } from '../harness/worker.ts';
import { BareFile, verifyFile } from './bare-file.ts';
import { sendFrame } from './bare-frames.ts';
import { bareMethod, createServer, widenConnections } from './bare-grpc.ts';
import type { ConnectAnswer, HopRequest } from './requests.ts';

interface Hop {
  readonly socket: net.Socket;
  stored: number;
}

const followers: Hop[] = [];
let file: BareFile | undefined;
let stored = 0;
let acknowledged = 0;
let producer: ServerDuplexStream<Buffer, Buffer> | undefined;
let isDue = false;

function begin(path: string, flush: 'os' | 'ack'): void {
  file?.close();
  stored = 0;
  acknowledged = 0;
  for (const follower of followers) follower.stored = 0;
  file = new BareFile(path, flush, (batches) => {
    stored = batches;
    acknowledge();
  });
}

function take(batch: Buffer): void {
  if (nextBatch(batch, 0).kind !== 'batch') throw new Error('the leader got a damaged batch');
  file?.append(batch);
  for (const { socket } of followers) sendFrame(socket, batch);
}

/** One message a turn tells how many batches all three have. */
function acknowledge(): void {
  if (isDue) return;
  isDue = true;
  setImmediate(() => {
    isDue = false;
    const count = Math.min(stored, ...followers.map((follower) => follower.stored));
    if (count === acknowledged) return;
    acknowledged = count;
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(count, 0);
    producer?.write(bytes);
  });
}

/** A follower says after each turn how many batches it has stored: four bytes, the last ones count. */
function onFollower(socket: net.Socket): void {
  const hop: Hop = { socket, stored: 0 };
  followers.push(hop);
  let rest = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const whole = bytes.length - (bytes.length % 4);
    if (whole > 0) hop.stored = bytes.readUInt32BE(whole - 4);
    rest = Buffer.from(bytes.subarray(whole));
    acknowledge();
  });
}

async function listen(): Promise<ConnectAnswer> {
  const server = createServer();
  server.addService(bareMethod, {
    produce: (stream: ServerDuplexStream<Buffer, Buffer>) => {
      producer = stream;
      stream.on('data', take);
      stream.on('end', () => stream.end());
      stream.on('error', () => {});
    },
  });
  const grpcPort = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
  widenConnections(server);
  const frames = net.createServer({ noDelay: true }, onFollower);
  await new Promise<void>((resolve) => {
    frames.listen(0, '127.0.0.1', resolve);
  });
  const address = frames.address();
  const framePort = typeof address === 'object' && address !== null ? address.port : 0;
  return { grpcPort, framePort };
}

serveWorker((request: HopRequest) => {
  if (request.kind === 'connect') return listen();
  if (request.kind === 'verify') return verifyFile(request.path);
  return begin(request.path, request.flush);
});
