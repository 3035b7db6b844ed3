/**
 * The victim of the crash test: appends to several logs, cuts and deletes now and then, and prints a
 * line when something is stored. Its parent kills it. `node log-crash-writer.ts <directory> <mode> <seed>`
 */
import { DataDirectory } from '../../broker/log/data-directory.ts';
import { indexTables } from '../../broker/log/index-store.ts';
import { defaultLogConfig } from '../../broker/log/log-config.ts';
import { LogDirectory } from '../../broker/log/log-directory.ts';
import { logTables } from '../../broker/log/log-store.ts';
import type { PartitionLog } from '../../broker/log/partition-log.ts';
import { partitionNumber, topicId } from '../../proto/model/ids.ts';
import { offset } from '../../proto/model/offset.ts';
import { silentLogger } from '../../proto/ports/logger.ts';
import { LossyFileSystem } from '../../proto/ports/lossy/lossy-file-system.ts';
import { lossyKeyValueOpener } from '../../proto/ports/lossy/lossy-key-value.ts';
import { SeededRandom } from '../../proto/ports/memory/seeded-random.ts';
import { lmdbKeyValueOpener } from '../../proto/ports/node/lmdb-key-value.ts';
import { nodeClock } from '../../proto/ports/node/node-clock.ts';
import { nodeFileSystem } from '../../proto/ports/node/node-file-system.ts';
import { batch } from '../broker/log/batches.ts';

const [path = '', mode = 'kill', seed = '0'] = process.argv.slice(2);
const logCount = 8;
const random = new SeededRandom(`writer ${seed}`);

/** One line, at once: what was printed must not be lost with the process. */
function tell(words: readonly (string | number)[]): void {
  process.stdout.write(`${words.join(' ')}\n`);
}

async function openLogs(): Promise<PartitionLog[]> {
  const real = nodeFileSystem();
  const fs = mode === 'lossy' ? new LossyFileSystem(real) : real;
  const directory = await DataDirectory.open(fs, path);
  const stores = lmdbKeyValueOpener({ clock: nodeClock });
  const opener = mode === 'lossy' ? lossyKeyValueOpener(stores) : stores;
  if (directory.cleanStop === undefined) await opener.wipe(`${path}/index`);
  const logs = await LogDirectory.open({
    directory,
    clock: nodeClock,
    logger: silentLogger,
    meta: await opener.open(`${path}/meta`, { durability: 'synced', tables: logTables }),
    index: await opener.open(`${path}/index`, { durability: 'unsynced', tables: indexTables }),
    limits: { journalFileBytes: 256 * 1024, journalFilesMax: 2, checkpointMs: 30 },
    configOf: () => ({ ...defaultLogConfig, segmentBytes: 64 * 1024 }),
    onFatal: (caught) => {
      tell(['fatal', String(caught)]);
      process.exit(1);
    },
  });
  const keys = Array.from({ length: logCount }, (_, at) => ({
    topicId: topicId('00000000-0000-4000-8000-000000000001'),
    partition: partitionNumber(at),
  }));
  const missing = keys.filter((key) => logs.get(key) === undefined);
  await logs.create(missing);
  for (const report of logs.recovered) {
    tell(['recovered', report.key.partition, report.verdict, report.logEndOffset]);
  }
  return keys.flatMap((key) => logs.get(key) ?? []);
}

/** The whole content, checked by offset: nothing twice, nothing missing. */
async function check(log: PartitionLog): Promise<void> {
  let from = log.logStartOffset;
  while (from < log.logEndOffset) {
    const read = await log.read({ from, maxBytes: 100_000, upTo: log.logEndOffset });
    if (read.endOffset <= from) throw new Error(`log ${log.key.partition} stops at ${from}`);
    for (const bytes of read.buffers) {
      for (let at = 0; at < bytes.length; at += bytes.readInt32BE(at + 8) + 12) {
        const base = Number(bytes.readBigInt64BE(at));
        const fill = bytes[at + bytes.readInt32BE(at + 8) + 11];
        if (fill !== (base & 0xff)) throw new Error(`log ${log.key.partition}: not ${base}`);
      }
    }
    from = read.endOffset;
  }
}

function append(log: PartitionLog): void {
  const batches: Buffer[] = [];
  let baseOffset: number = log.logEndOffset;
  const epoch = log.latestEpoch ?? 0;
  for (let left = random.below(6); left >= 0; left--) {
    const count = 1 + random.below(3);
    const payload = random.below(3000);
    batches.push(batch({ baseOffset, count, epoch, payload, fill: baseOffset & 0xff }));
    baseOffset += count;
  }
  log.append(batches);
}

const logs = await openLogs();
for (const log of logs) await check(log);
for (const log of logs) tell(['end', log.key.partition, log.logStartOffset, log.logEndOffset]);
for (const log of logs) {
  log.listen({
    onProgress: ({ storedEnd }) => tell(['stored', log.key.partition, storedEnd]),
    onFailure: ({ code }) => tell(['fatal', code]),
  });
}
tell(['running']);
for (;;) {
  for (const log of logs) if (random.below(4) > 0) append(log);
  const log = logs[random.below(logCount)];
  if (log === undefined) continue;
  log.setHighWatermark(offset(Math.max(log.highWatermark, log.storedEnd - 20)));
  if (random.below(12) === 0) {
    const to = Math.max(log.highWatermark, log.logEndOffset - random.below(30));
    tell(['cutting', log.key.partition, to]);
    tell(['cut', log.key.partition, await log.truncateTo(offset(to), { keepAside: false })]);
  }
  if (random.below(12) === 0) await log.deleteRecords(offset(Math.max(0, log.highWatermark - 50)));
  await new Promise((resolve) => setTimeout(resolve, random.below(4)));
}
