/**
 * What is wrong with the disk of one node of a run, told from outside the process and over its restarts: a
 * file beside the data directory, which the node of the tests looks at all the time.
 */
import { appendFileSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

export type DiskOperation = 'read' | 'write' | 'sync' | 'commit';

export interface DiskTrouble {
  /** Every flush and every commit takes so many milliseconds more. */
  readonly slowMs: number;
  /** These answer EIO. */
  readonly failing: readonly DiskOperation[];
  /** Nothing is free, and what is written to a log or to the journal does not fit. */
  readonly isFull: boolean;
}

export const noTrouble: DiskTrouble = { slowMs: 0, failing: [], isFull: false };

/** From here on the node with this data directory has this trouble. */
export function setTrouble(data: string, trouble: Partial<DiskTrouble>): void {
  const path = troublePath(data);
  // Whoever reads meanwhile gets the old text or the new one.
  writeFileSync(`${path}.next`, JSON.stringify({ ...noTrouble, ...trouble }));
  renameSync(`${path}.next`, path);
}

/** How many operations met the trouble since this was asked last. */
export function takeHits(data: string): number {
  const path = hitsPath(data);
  const lines = readText(path).split('\n');
  rmSync(path, { force: true });
  return lines.reduce((sum, line) => sum + Number(line), 0);
}

/** The trouble as the node itself sees it. */
export class TroubleWatch {
  readonly #data: string;
  #current = noTrouble;
  #text = '';
  #hits = 0;

  private constructor(data: string) {
    this.#data = data;
  }

  static start(data: string): TroubleWatch {
    const watch = new TroubleWatch(data);
    watch.#look();
    setInterval(() => watch.#look(), lookEveryMs).unref();
    return watch;
  }

  get current(): DiskTrouble {
    return this.#current;
  }

  /** An operation met the trouble. */
  hit(): void {
    // Told at once: the process may end of it.
    if (this.#hits++ === 0) appendFileSync(hitsPath(this.#data), '1\n');
  }

  #look(): void {
    if (this.#hits > 1) appendFileSync(hitsPath(this.#data), `${this.#hits - 1}\n`);
    this.#hits = 0;
    const text = readText(troublePath(this.#data));
    if (text === this.#text) return;
    this.#text = text;
    this.#current = text === '' ? noTrouble : (JSON.parse(text) as DiskTrouble);
  }
}

const lookEveryMs = 20;

function troublePath(data: string): string {
  return `${data}.trouble`;
}

function hitsPath(data: string): string {
  return `${data}.hits`;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
