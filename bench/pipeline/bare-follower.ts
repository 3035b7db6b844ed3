/** A follower: frames in, CRC checked, appended, and how many are stored is told back. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { nextBatch } from '../../proto/wire/batch-scan.ts';
import { serveWorker } from '../harness/worker.ts';
import { BareFile, verifyFile } from './bare-file.ts';
import { dialFrames } from './bare-frames.ts';
import type { HopRequest } from './requests.ts';

let socket: Socket | undefined;
let file: BareFile | undefined;

function take(batch: Buffer): void {
  if (nextBatch(batch, 0).kind !== 'batch') throw new Error('a follower got a damaged batch');
  file?.append(batch);
}

function begin(path: string, flush: 'os' | 'ack'): void {
  file?.close();
  file = new BareFile(path, flush, (batches) => {
    const bytes = Buffer.allocUnsafe(4);
    bytes.writeUInt32BE(batches, 0);
    socket?.write(bytes);
  });
}

serveWorker(async (request: HopRequest) => {
  if (request.kind === 'verify') return verifyFile(request.path);
  if (request.kind === 'begin') return begin(request.path, request.flush);
  socket = dialFrames(request.leaderPort ?? 0, take);
  await once(socket, 'connect');
  return undefined;
});
