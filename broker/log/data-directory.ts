/**
 * The data directory of a node: whose it is, that one process has it, and how it was left.
 *
 * - `lock` is held by the operating system for as long as the process lives (rule B5.7).
 * - `identity` names cluster, node, storage UUID and format version. A directory of another cluster
 *   or node, or of a newer format, is refused: it would mix histories (rules B5.6, B5.7).
 * - `clean-stop` exists only between a clean stop and the next start, and carries the broker epoch
 *   that stopped (rule B3.15). It is removed, durably, before anything else is written.
 */
import { HighwaterError } from '../../proto/model/errors.ts';
import {
  type ClusterId,
  clusterId,
  isUuid,
  type NodeId,
  nodeId,
  type StorageId,
  storageId,
} from '../../proto/model/ids.ts';
import { type BrokerEpoch, brokerEpoch } from '../../proto/model/offset.ts';
import type { DirectoryLock, FileSystem } from '../../proto/ports/file-system.ts';
import { readCheckedFile, writeCheckedFile } from './checked-file.ts';
import { everyRule, type LogRules } from './core/rules.ts';

/** The newest layout this code reads and the one it writes; described in docs/storage-format.md. */
export const directoryFormat = 1;

/** Whose directory it is. */
export interface DirectoryIdentity {
  readonly clusterId: ClusterId;
  readonly nodeId: NodeId;
  readonly storageId: StorageId;
}

/** How the last process left: which registration it had, and in which boot of the machine. */
export interface CleanStop {
  /** Undefined for a node that was never registered as a broker. */
  readonly brokerEpoch: BrokerEpoch | undefined;
}

/** An opened and locked directory. */
export class DataDirectory {
  readonly fs: FileSystem;
  readonly path: string;
  /** Undefined until `format` has been called on an empty directory. */
  #identity: DirectoryIdentity | undefined;
  /** How the process before this one stopped; undefined after a crash, and in a fresh directory. */
  readonly cleanStop: CleanStop | undefined;
  readonly #lock: DirectoryLock;
  readonly #rules: LogRules;

  private constructor(
    fs: FileSystem,
    path: string,
    found: {
      readonly identity: DirectoryIdentity | undefined;
      readonly cleanStop: CleanStop | undefined;
      readonly lock: DirectoryLock;
      readonly rules: LogRules;
    },
  ) {
    this.fs = fs;
    this.path = path;
    this.#identity = found.identity;
    this.cleanStop = found.cleanStop;
    this.#lock = found.lock;
    this.#rules = found.rules;
  }

  /** Locks the directory, made if missing, and reads who it belongs to. */
  static async open(
    fs: FileSystem,
    path: string,
    rules: LogRules = everyRule,
  ): Promise<DataDirectory> {
    if ((await fs.stat(path)) === undefined) {
      await fs.makeDirectory(path);
      await fs.syncDirectory(path.slice(0, path.lastIndexOf('/')) || '/');
    }
    const lock = await fs.lock(`${path}/lock`);
    if (lock === undefined) {
      throw new HighwaterError('INVALID_CONFIG', `Another process is using ${path}.`, {
        facts: { path },
      });
    }
    try {
      const identity = await readIdentity(fs, path);
      const cleanStop = await takeCleanStop(fs, path);
      return new DataDirectory(fs, path, { identity, cleanStop, lock, rules });
    } catch (caught) {
      await lock.release();
      throw caught;
    }
  }

  get identity(): DirectoryIdentity | undefined {
    return this.#identity;
  }

  /** Gives an empty directory its identity, for ever. Durable once it resolves. */
  async format(identity: DirectoryIdentity): Promise<void> {
    if (this.#identity !== undefined) {
      throw new HighwaterError('INVALID_CONFIG', `${this.path} is formatted already.`);
    }
    await writeCheckedFile(
      this.fs,
      { directory: this.path, name: 'identity' },
      { format: directoryFormat, ...identity },
      this.#rules,
    );
    this.#identity = identity;
  }

  /** Refuses a directory of another cluster or node. */
  expect(cluster: ClusterId | undefined, node: NodeId): void {
    const own = this.#identity;
    if (own === undefined) return;
    if (own.nodeId !== node) {
      throw new HighwaterError(
        'NODE_MISMATCH',
        `${this.path} belongs to node ${own.nodeId}, not ${node}.`,
      );
    }
    if (cluster !== undefined && own.clusterId !== cluster) {
      throw new HighwaterError(
        'CLUSTER_MISMATCH',
        `${this.path} belongs to cluster ${own.clusterId}, not ${cluster}.`,
      );
    }
  }

  /**
   * The last act of a clean stop, after everything else has been flushed and closed. After any
   * storage error the caller leaves it out, so that the next start recovers (rule B3.15).
   */
  async markCleanStop(stop: CleanStop): Promise<void> {
    await writeCheckedFile(
      this.fs,
      { directory: this.path, name: 'clean-stop' },
      { brokerEpoch: stop.brokerEpoch ?? null },
      this.#rules,
    );
  }

  /** Lets another process have the directory. */
  async release(): Promise<void> {
    await this.#lock.release();
  }
}

/** Whose a directory is; undefined before it was formatted. A newer format is refused. */
export async function readIdentity(
  fs: FileSystem,
  path: string,
): Promise<DirectoryIdentity | undefined> {
  const content = await readCheckedFile(fs, `${path}/identity`);
  if (content === undefined) return undefined;
  const { format, clusterId: cluster, nodeId: node, storageId: storage } = content;
  if (format !== directoryFormat) {
    throw new HighwaterError(
      'UNSUPPORTED_VERSION',
      `${path} has format ${String(format)}; this version reads format ${directoryFormat}.`,
      { facts: { format: String(format), supported: directoryFormat } },
    );
  }
  if (
    typeof cluster !== 'string' ||
    !isUuid(cluster) ||
    typeof storage !== 'string' ||
    !isUuid(storage) ||
    typeof node !== 'number' ||
    !Number.isSafeInteger(node) ||
    node < 1
  ) {
    throw new HighwaterError('DAMAGED_LOG', `${path}/identity does not say whose it is.`);
  }
  return { clusterId: clusterId(cluster), nodeId: nodeId(node), storageId: storageId(storage) };
}

/** Reads the marker and removes it durably: from here on a crash is a crash. */
async function takeCleanStop(fs: FileSystem, path: string): Promise<CleanStop | undefined> {
  const content = await readCheckedFile(fs, `${path}/clean-stop`);
  if (content === undefined) return undefined;
  await fs.remove(`${path}/clean-stop`);
  await fs.syncDirectory(path);
  const epoch = content['brokerEpoch'];
  return { brokerEpoch: typeof epoch === 'number' ? brokerEpoch(epoch) : undefined };
}
