/** The producer: ready-made batches over one grpc-js stream, as many under way as the bound allows. */
import type { ClientDuplexStream } from '@grpc/grpc-js';
import { serveWorker } from '../harness/worker.ts';
import { BatchPool } from '../log/batches.ts';
import { openStream } from './bare-grpc.ts';
import { inFlightBytes, type SendAnswer, type SendRequest } from './requests.ts';

let stream: ClientDuplexStream<Buffer, Buffer> | undefined;
const pools = new Map<number, BatchPool>();

function poolOf(batchBytes: number): BatchPool {
  let pool = pools.get(batchBytes);
  if (pool === undefined) {
    pools.clear();
    pool = new BatchPool(batchBytes);
    pools.set(batchBytes, pool);
  }
  return pool;
}

async function send({ grpcPort, batchBytes, count }: SendRequest): Promise<SendAnswer> {
  const pool = poolOf(batchBytes);
  stream ??= openStream(grpcPort);
  const open = stream;
  const room = Math.max(1, Math.floor(inFlightBytes / batchBytes));
  const began = performance.now();
  const acknowledged = await new Promise<number>((resolve, reject) => {
    let sent = 0;
    let acked = 0;
    let isWaiting = false;
    const push = (): void => {
      while (!isWaiting && sent < count && sent - acked < room) {
        if (open.write(pool.at(sent++))) continue;
        isWaiting = true;
        open.once('drain', () => {
          isWaiting = false;
          push();
        });
      }
    };
    const onData = (bytes: Buffer): void => {
      acked = bytes.readUInt32BE(0);
      if (acked < count) return push();
      open.off('data', onData);
      resolve(acked);
    };
    open.on('data', onData);
    open.once('error', reject);
    push();
  });
  open.removeAllListeners('error');
  return { seconds: (performance.now() - began) / 1000, acknowledged };
}

serveWorker(send);
