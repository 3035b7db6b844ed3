/** Our log, in a process of its own. */
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { DataDirectory } from '../../broker/log/data-directory.ts';
import { indexTables } from '../../broker/log/index-store.ts';
import { defaultLogConfig, type LogConfig } from '../../broker/log/log-config.ts';
import { LogDirectory } from '../../broker/log/log-directory.ts';
import { logTables } from '../../broker/log/log-store.ts';
import type { PartitionLog } from '../../broker/log/partition-log.ts';
import { partitionNumber, topicId } from '../../proto/model/ids.ts';
import { offset } from '../../proto/model/offset.ts';
import { silentLogger } from '../../proto/ports/logger.ts';
import { lmdbKeyValueOpener } from '../../proto/ports/node/lmdb-key-value.ts';
import { nodeClock } from '../../proto/ports/node/node-clock.ts';
import { nodeFileSystem } from '../../proto/ports/node/node-file-system.ts';
import { readBatchHeader } from '../../proto/wire/batch-header.ts';
import { serveWorker } from '../harness/worker.ts';
import { BatchPool } from './batches.ts';
import { groupBytes, type LogAnswer, type LogRequest, windowBytes } from './requests.ts';

const topic = topicId('00000000-0000-4000-8000-000000000001');
const fs = nodeFileSystem();

/** Closes the logs and lets the next request have the directory. */
type Opened = LogDirectory & { readonly release: () => Promise<void> };

async function openLogs(path: string, config: Partial<LogConfig> = {}): Promise<Opened> {
  const opener = lmdbKeyValueOpener({ clock: nodeClock });
  const directory = await DataDirectory.open(fs, path);
  const meta = await opener.open(`${path}/meta`, { durability: 'synced', tables: logTables });
  const index = await opener.open(`${path}/index`, { durability: 'unsynced', tables: indexTables });
  const logs = await LogDirectory.open({
    directory,
    clock: nodeClock,
    logger: silentLogger,
    meta,
    index,
    limits: {
      tailCacheBytes: 32e6,
      unstoredBytesPerLogMax: 2 * windowBytes,
      writeBytesMax: groupBytes,
    },
    configOf: () => ({ ...defaultLogConfig, ...config }),
    onFatal: (caught) => {
      throw caught;
    },
  });
  const release = async (): Promise<void> => {
    await logs.close({ brokerEpoch: undefined });
    await meta.close();
    await index.close();
    await directory.release();
  };
  return Object.assign(logs, { release });
}

async function makeLogs(directory: LogDirectory, count: number): Promise<PartitionLog[]> {
  const keys = Array.from({ length: count }, (_, at) => ({
    topicId: topic,
    partition: partitionNumber(at),
  }));
  return directory.create(keys);
}

/** Wall and processor time of some work. */
async function timed(work: () => Promise<number>): Promise<Omit<LogAnswer, 'faults'>> {
  const cpu = process.cpuUsage();
  const began = performance.now();
  const bytes = await work();
  const seconds = (performance.now() - began) / 1000;
  const used = process.cpuUsage(cpu);
  return { bytes, seconds, cpuSeconds: (used.user + used.system) / 1e6 };
}

async function append(request: Extract<LogRequest, { kind: 'append' }>): Promise<LogAnswer> {
  const directory = await openLogs(request.path, { flush: request.flush });
  const [log] = await makeLogs(directory, 1);
  if (log === undefined) throw new Error('one log is made');
  const pool = new BatchPool(request.batchBytes);
  const count = Math.ceil(request.totalBytes / request.batchBytes);
  // The first write opens the file and marks the log: with both contenders it comes before the clock.
  await fillWindow(log, pool, 1);
  const run = await timed(async () => {
    await fillWindow(log, pool, count);
    return (count - 1) * request.batchBytes;
  });
  const faults = await verify(log, pool, count);
  await directory.release();
  return { ...run, faults };
}

/** Appends so that a window of bytes is under way until everything is stored. */
function fillWindow(log: PartitionLog, pool: BatchPool, count: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const refill = (): void => {
      while (log.logEndOffset < count && log.unstoredBytes < windowBytes) {
        const result = log.append([pool.at(log.logEndOffset)]);
        if (result.kind === 'refused') return reject(new Error(`refused: ${result.code}`));
      }
      if (log.storedEnd >= count) resolve();
    };
    log.listen({ onProgress: refill, onFailure: ({ code }) => reject(new Error(code)) });
    refill();
  });
}

async function rounds(request: Extract<LogRequest, { kind: 'rounds' }>): Promise<LogAnswer> {
  const directory = await openLogs(request.path);
  const logs = await makeLogs(directory, request.logs);
  const pool = new BatchPool(Math.floor(request.roundBytes / request.logs));
  const stored = new StoredCount();
  for (const log of logs) {
    log.listen({
      onProgress: ({ storedEnd }) => stored.note(storedEnd),
      onFailure: ({ code }) => stored.fail(new Error(code)),
    });
  }
  const round = async (at: number): Promise<void> => {
    const all = stored.all(at + 1, logs.length);
    for (const log of logs) log.append([pool.at(at)]);
    await all;
  };
  const warmUp = 3;
  for (let at = 0; at < warmUp; at++) await round(at);
  const run = await timed(async () => {
    for (let at = 0; at < request.rounds; at++) await round(warmUp + at);
    return request.rounds * request.roundBytes;
  });
  const faults: string[] = [];
  for (const log of logs) faults.push(...(await verify(log, pool, warmUp + request.rounds)));
  await directory.release();
  return { ...run, faults };
}

/** Resolves when every log has stored a round. */
class StoredCount {
  #end = 0;
  #missing = 0;
  #done: (() => void) | undefined;
  #failed: ((error: Error) => void) | undefined;

  all(end: number, logs: number): Promise<void> {
    this.#end = end;
    this.#missing = logs;
    return new Promise((resolve, reject) => {
      this.#done = resolve;
      this.#failed = reject;
    });
  }

  note(storedEnd: number): void {
    if (storedEnd < this.#end) return;
    this.#missing--;
    if (this.#missing === 0) this.#done?.();
  }

  fail(error: Error): void {
    this.#failed?.(error);
  }
}

/** Every batch is there once, in order, with its checksum. */
async function verify(log: PartitionLog, pool: BatchPool, count: number): Promise<string[]> {
  let next = 0;
  const upTo = log.logEndOffset;
  while (next < count) {
    const read = await log.read({ from: offset(next), maxBytes: 1 << 20, upTo });
    if (read.bytes === 0) break;
    for (const bytes of read.buffers) {
      for (let at = 0; at < bytes.length; ) {
        const header = readBatchHeader(bytes, at);
        if (header.kind !== 'batch' || header.baseOffset !== next) return [`bad batch at ${next}`];
        if (header.crc !== pool.crcAt(next)) return [`another batch at ${next}`];
        at += header.byteLength;
        next++;
      }
    }
    read.giveBack();
  }
  return next === count ? [] : [`${next} batches of ${count}`];
}

/** Leaves a log as a killed process does: all of it above the recovery point. */
async function fill(request: Extract<LogRequest, { kind: 'fill' }>): Promise<LogAnswer> {
  const directory = await openLogs(request.path, { flush: 'os' });
  const [log] = await makeLogs(directory, 1);
  if (log === undefined) throw new Error('one log is made');
  const pool = new BatchPool(64 * 1024);
  const count = Math.ceil(request.totalBytes / (64 * 1024));
  const run = await timed(async () => {
    await fillWindow(log, pool, count);
    return request.totalBytes;
  });
  return { ...run, faults: [] };
}

async function read(path: string): Promise<LogAnswer> {
  const directory = await openLogs(path);
  const log = directory.get({ topicId: topic, partition: partitionNumber(0) });
  if (log === undefined) throw new Error('there is a log');
  const upTo = log.logEndOffset;
  await log.findTimestamp(Number.MAX_SAFE_INTEGER); // Indexes are loaded before the clock runs.
  const run = await timed(async () => {
    let bytes = 0;
    for (let from = offset(0); from < upTo; ) {
      const part = await log.read({ from, maxBytes: 1 << 20, upTo });
      bytes += part.bytes;
      from = part.endOffset;
      part.giveBack();
    }
    return bytes;
  });
  await directory.release();
  return { ...run, faults: run.bytes === log.bytes ? [] : [`${run.bytes} of ${log.bytes} bytes`] };
}

async function create(request: Extract<LogRequest, { kind: 'create' }>): Promise<LogAnswer> {
  const directory = await openLogs(request.path);
  const logs = await makeLogs(directory, request.logs);
  const pool = new BatchPool(1024);
  for (const log of logs) log.append([pool.at(0)]);
  await Promise.all(logs.map((log) => log.flush()));
  await directory.release();
  const found = readdirSync(`${request.path}/logs`).length;
  const faults = found === request.logs ? [] : [`${found} folders of ${request.logs}`];
  return { bytes: 0, seconds: 0, cpuSeconds: 0, faults };
}

async function start(request: Extract<LogRequest, { kind: 'start' }>): Promise<LogAnswer> {
  const faults: string[] = [];
  let directory: Opened | undefined;
  const run = await timed(async () => {
    directory = await openLogs(request.path);
    for (const key of directory.keys()) {
      if ((directory.get(key)?.logEndOffset ?? 0) === 0) faults.push('a log is empty');
    }
    return 0;
  });
  const cpu = process.cpuUsage();
  await sleep(request.idleMs);
  const used = process.cpuUsage(cpu);
  const idlePercent = request.idleMs === 0 ? 0 : (used.user + used.system) / 10 / request.idleMs;
  await directory?.release();
  return { ...run, faults: [...new Set(faults)], idlePercent };
}

serveWorker(async (request: LogRequest): Promise<LogAnswer> => {
  switch (request.kind) {
    case 'append':
      return append(request);
    case 'rounds':
      return rounds(request);
    case 'fill':
      return fill(request);
    case 'read':
      return read(request.path);
    case 'create':
      return create(request);
    case 'start':
      return start(request);
  }
});
