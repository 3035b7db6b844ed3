/**
 * The data directory of a node that is not running, opened to be looked at. It is locked meanwhile,
 * and nothing in it is changed: not even the mark of a clean stop.
 */
import { HighwaterError } from '../../../proto/model/errors.ts';
import type { Clock } from '../../../proto/ports/clock.ts';
import type { FileSystem } from '../../../proto/ports/file-system.ts';
import type { KeyValueOpener } from '../../../proto/ports/key-value.ts';
import { readCheckedFile } from '../checked-file.ts';
import { type DirectoryIdentity, readIdentity } from '../data-directory.ts';
import { HandlePool } from '../handle-pool.ts';
import { IndexStore, indexTables } from '../index-store.ts';
import { IoWatch } from '../io-watch.ts';
import { LogStore, logTables } from '../log-store.ts';

/** What the tools need of the machine. */
export interface ToolPorts {
  readonly fs: FileSystem;
  readonly stores: KeyValueOpener;
  readonly clock: Clock;
}

/** Everything a tool reads. */
export interface StoppedDirectory {
  readonly fs: FileSystem;
  readonly path: string;
  readonly identity: DirectoryIdentity | undefined;
  readonly wasCleanStop: boolean;
  readonly handles: HandlePool;
  readonly store: LogStore;
  readonly indexes: IndexStore;
}

const filesOpenMax = 16;

/** Opens the directory for the time of some work. A running node's is refused. */
export async function withStoppedDirectory<Result>(
  ports: ToolPorts,
  path: string,
  work: (directory: StoppedDirectory) => Promise<Result>,
): Promise<Result> {
  const { fs } = ports;
  if ((await fs.stat(`${path}/logs`)) === undefined) {
    throw new HighwaterError('INVALID_CONFIG', `${path} is not the data directory of a broker.`);
  }
  const lock = await fs.lock(`${path}/lock`);
  if (lock === undefined) {
    throw new HighwaterError('INVALID_CONFIG', `A node is using ${path}; stop it first.`);
  }
  const identity = await readIdentity(fs, path);
  const mark = await readCheckedFile(fs, `${path}/clean-stop`);
  const options = { clock: ports.clock, stalledMs: 60_000, onStalled() {}, onDead() {} };
  const watch = new IoWatch(options);
  const meta = await ports.stores.open(`${path}/meta`, { durability: 'synced', tables: logTables });
  const index = await ports.stores.open(`${path}/index`, {
    durability: 'unsynced',
    tables: indexTables,
  });
  const handles = new HandlePool(fs, filesOpenMax);
  try {
    return await work({
      fs,
      path,
      identity,
      wasCleanStop: mark !== undefined,
      handles,
      store: new LogStore(meta, watch),
      indexes: new IndexStore(index, () => undefined),
    });
  } finally {
    watch.close();
    await handles.close();
    await index.close();
    await meta.close();
    await lock.release();
  }
}
