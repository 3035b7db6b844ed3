/** The reference: the same bytes by bare file calls, one write in flight, what comes next made ready meanwhile. */
import * as files from 'node:fs';
import { open } from 'node:fs/promises';
import { serveWorker } from '../harness/worker.ts';
import { BatchPool } from './batches.ts';
import { groupBytes, type LogAnswer, type LogRequest, windowBytes } from './requests.ts';

async function append(request: Extract<LogRequest, { kind: 'append' }>): Promise<LogAnswer> {
  const pool = new BatchPool(request.batchBytes);
  const count = Math.ceil(request.totalBytes / request.batchBytes);
  const path = `${request.path}/bare`;
  const handle = await open(path, 'w+');
  await handle.write(pool.at(0), 0, request.batchBytes, 0);
  await handle.datasync();
  const cpu = process.cpuUsage();
  const began = performance.now();
  if (request.flush === 'os') await writeAll(handle.fd, pool, { count, request });
  else await writeAndFlush(handle.fd, pool, { count, request });
  const seconds = (performance.now() - began) / 1000;
  const used = process.cpuUsage(cpu);
  const { size } = await handle.stat();
  await handle.close();
  const bytes = count * request.batchBytes;
  return {
    bytes: bytes - request.batchBytes,
    seconds,
    cpuSeconds: (used.user + used.system) / 1e6,
    faults: size === bytes ? [] : [`bare: ${size} bytes of ${bytes}`],
  };
}

interface Job {
  readonly count: number;
  readonly request: Extract<LogRequest, { kind: 'append' }>;
}

/** After the first batch. There is always more to write: the next group is made while one is under way. */
async function writeAll(fd: number, pool: BatchPool, { count, request }: Job): Promise<void> {
  const limit = { count, batchBytes: request.batchBytes };
  let position = request.batchBytes;
  let at = 1;
  let group = nextGroup(pool, at, limit);
  while (group.length > 0) {
    const writing = writev(fd, group, position);
    at += group.length;
    group = nextGroup(pool, at, limit);
    position += await writing;
  }
}

/** Writes go on while one fdatasync is in flight; each covers all that was written before it. */
async function writeAndFlush(fd: number, pool: BatchPool, { count, request }: Job): Promise<void> {
  const { batchBytes } = request;
  let written = 1;
  let flushed = 1;
  const flushing = { isRunning: false };
  await new Promise<void>((resolve, reject) => {
    const flush = (): void => {
      if (flushing.isRunning || flushed === written) return;
      flushing.isRunning = true;
      const upTo = written;
      files.fdatasync(fd, (error) => {
        if (error !== null) return reject(error);
        flushing.isRunning = false;
        flushed = upTo;
        if (flushed === count) return resolve();
        flush();
        write();
      });
    };
    let isWriting = false;
    const write = (): void => {
      const room = Math.floor(windowBytes / batchBytes) - (written - flushed);
      if (isWriting || written === count || room <= 0) return;
      isWriting = true;
      const upTo = Math.min(count, written + room);
      const group = nextGroup(pool, written, { count: upTo, batchBytes });
      writev(fd, group, written * batchBytes).then(() => {
        isWriting = false;
        written += group.length;
        flush();
        write();
      }, reject);
    };
    write();
  });
}

function nextGroup(
  pool: BatchPool,
  from: number,
  limit: { readonly count: number; readonly batchBytes: number },
): Buffer[] {
  const most = Math.max(1, Math.min(1024, Math.floor(groupBytes / limit.batchBytes)));
  const length = Math.min(most, limit.count - from);
  return Array.from({ length }, (_, at) => pool.at(from + at));
}

function writev(fd: number, group: Buffer[], position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    files.writev(fd, group, position, (error, bytes) => {
      if (error === null) resolve(bytes);
      else reject(error);
    });
  });
}

/** All segment files of a log, one piece after the other into one buffer. */
async function read(path: string): Promise<LogAnswer> {
  const folder = `${path}/logs`;
  const [log] = files.readdirSync(folder);
  const names = files.readdirSync(`${folder}/${log}`).sort();
  const piece = Buffer.allocUnsafeSlow(1 << 20);
  const cpu = process.cpuUsage();
  const began = performance.now();
  let bytes = 0;
  for (const name of names) {
    const handle = await open(`${folder}/${log}/${name}`, 'r');
    for (;;) {
      const { bytesRead } = await handle.read(piece, 0, piece.length);
      if (bytesRead === 0) break;
      bytes += bytesRead;
    }
    await handle.close();
  }
  const seconds = (performance.now() - began) / 1000;
  const used = process.cpuUsage(cpu);
  return { bytes, seconds, cpuSeconds: (used.user + used.system) / 1e6, faults: [] };
}

serveWorker(async (request: LogRequest): Promise<LogAnswer> => {
  if (request.kind === 'append') return append(request);
  if (request.kind === 'read') return read(request.path);
  throw new Error(`the bare contender does no ${request.kind}`);
});
