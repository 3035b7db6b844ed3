/**
 * Goal: a full disk is a clean answer, nothing acknowledged is lost, and service resumes with space.
 * Method: a log on a tmpfs of one megabyte, filled until it refuses. Needs the right to mount one.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DataDirectory } from '../../broker/log/data-directory.ts';
import { indexTables } from '../../broker/log/index-store.ts';
import { defaultLogConfig } from '../../broker/log/log-config.ts';
import { LogDirectory } from '../../broker/log/log-directory.ts';
import { logTables } from '../../broker/log/log-store.ts';
import type { LogFailure, PartitionLog } from '../../broker/log/partition-log.ts';
import { silentLogger } from '../../proto/ports/logger.ts';
import { MemoryKeyValueStorage } from '../../proto/ports/memory/memory-key-value.ts';
import { nodeClock } from '../../proto/ports/node/node-clock.ts';
import { nodeFileSystem } from '../../proto/ports/node/node-file-system.ts';
import { batch } from '../broker/log/batches.ts';
import { keyOf } from '../broker/log/log-world.ts';

const mountPoint = mkdtempSync(join(tmpdir(), 'highwater-full-disk-'));

function mounted(): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', mountPoint], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
}

const canMount = mounted();
const title = canMount
  ? 'a real full disk'
  : 'a real full disk (skipped: no right to mount a tmpfs)';

beforeAll(() => {
  if (canMount) mkdirSync(`${mountPoint}/data`);
});
afterAll(() => {
  if (canMount) execFileSync('umount', [mountPoint]);
  rmSync(mountPoint, { recursive: true, force: true });
});

async function open(data: DataDirectory): Promise<LogDirectory> {
  const opener = new MemoryKeyValueStorage().mount();
  return LogDirectory.open({
    directory: data,
    clock: nodeClock,
    logger: silentLogger,
    meta: await opener.open('/meta', { durability: 'synced', tables: logTables }),
    index: await opener.open('/index', { durability: 'unsynced', tables: indexTables }),
    // No reserve: the disk itself has to say that it is full.
    limits: { reserveBytes: -1e9 },
    configOf: () => defaultLogConfig,
    onFatal: (caught) => {
      throw caught;
    },
  });
}

/** Resolves when everything accepted is stored, or the log said that it failed. */
function settled(log: PartitionLog): Promise<LogFailure | undefined> {
  return new Promise((resolve) => {
    log.listen({
      onProgress: ({ logEndOffset, storedEnd }) => {
        if (storedEnd === logEndOffset) resolve(undefined);
      },
      onFailure: resolve,
    });
  });
}

describe.skipIf(!canMount)(title, () => {
  test('refuses, keeps what it acknowledged, and goes on when there is space', async () => {
    const ballast = `${mountPoint}/ballast`;
    writeFileSync(ballast, Buffer.alloc(300_000));
    const data = await DataDirectory.open(nodeFileSystem(), `${mountPoint}/data`);
    const directory = await open(data);
    const [log] = await directory.create([keyOf(0)]);
    if (log === undefined) throw new Error('one log is made');

    let failure: LogFailure | undefined;
    let stored = 0;
    while (failure === undefined) {
      const done = settled(log);
      const added = batch({ baseOffset: log.logEndOffset, payload: 50_000, fill: 1 });
      if (log.append([added]).kind === 'refused') break;
      failure = await done;
      if (failure === undefined) stored = log.storedEnd;
    }
    expect(failure?.code).toBe('DISK_FULL');
    expect(stored).toBeGreaterThan(5);
    expect(log.storedEnd).toBe(stored);

    rmSync(ballast);
    await log.flush();
    const done = settled(log);
    const again = batch({ baseOffset: log.logEndOffset, payload: 50_000, fill: 2 });
    expect(log.append([again]).kind).toBe('accepted');
    expect(await done).toBeUndefined();
    expect(log.storedEnd).toBe(stored + 1);

    for (let from = log.logStartOffset; from < log.logEndOffset; ) {
      const read = await log.read({ from, maxBytes: 1e7, upTo: log.logEndOffset });
      expect(read.endOffset).toBeGreaterThan(from);
      from = read.endOffset;
    }
    await directory.close({ brokerEpoch: undefined });
    await data.release();
  });
});
