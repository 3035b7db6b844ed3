/**
 * S26: a log is deleted or set aside only behind a committed record: its topic was deleted, or the
 * replica was moved elsewhere, after the log was made. What was set aside stays.
 *
 * It looks at the disks: whoever removes a folder, and why he thinks he may, does not matter.
 */
import { type LogKey, logName, parseLogName } from '../../../broker/log/log-key.ts';
import { type Checker, Violation, type World } from '../world.ts';

/** A node whose disk is watched. */
export interface WatchedDisk {
  readonly id: number;
  /** The revision of the metadata that its broker has applied; 0 before it runs. */
  readonly revision: number;
  /** Called before each operation on its disk. */
  onOperation: ((kind: string, path: string) => void) | undefined;
}

/** Whether a committed record at this revision or later took the replica from the node. */
export type WasTaken = (place: string, node: number, since: number) => boolean;

interface Removal {
  readonly node: number;
  readonly kind: string;
  readonly path: string;
  /** Undefined: no log of its own, but something that holds logs. */
  readonly key: LogKey | undefined;
}

const logFolder = /\/logs\/([^/]+)$/;
const heldTogether = /\/(logs|quarantine)$|\/quarantine\//;

export class Deletions implements Checker {
  readonly name = 'deletions';
  readonly #world: World;
  readonly #wasTaken: WasTaken;
  /** By folder and node: what its broker knew when the log was made. */
  readonly #made = new Map<string, number>();
  /** What was removed in the present event. */
  #removals: Removal[] = [];

  constructor(world: World, disks: readonly WatchedDisk[], wasTaken: WasTaken) {
    this.#world = world;
    this.#wasTaken = wasTaken;
    for (const disk of disks) disk.onOperation = (kind, path) => this.#look(disk, kind, path);
  }

  check(): void {
    if (this.#removals.length === 0) return;
    const removals = this.#removals;
    this.#removals = [];
    for (const removal of removals) this.#judge(removal);
  }

  #look({ id, revision }: WatchedDisk, kind: string, path: string): void {
    if (kind !== 'remove' && kind !== 'rename' && kind !== 'make-directory') return;
    const key = parseLogName(logFolder.exec(path)?.[1] ?? '');
    if (kind !== 'make-directory') {
      if (key !== undefined || heldTogether.test(path))
        this.#removals.push({ node: id, kind, path, key });
    } else if (key !== undefined) {
      const name = `${logName(key)}@${id}`;
      this.#made.set(name, Math.max(this.#made.get(name) ?? 0, revision));
    }
  }

  #judge({ node, kind, path, key }: Removal): void {
    if (key !== undefined) {
      const since = this.#made.get(`${logName(key)}@${node}`) ?? 0;
      if (this.#wasTaken(`${key.topicId}/${key.partition}`, node, since)) {
        this.#world.reach(kind === 'remove' ? 'log deleted' : 'log set aside');
        return;
      }
    }
    throw new Violation(
      this.name,
      `node ${node} ${kind === 'remove' ? 'removes' : 'moves'} ${path}, no record says so`,
    );
  }
}
