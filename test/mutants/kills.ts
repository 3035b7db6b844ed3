/** The recorded kills: for each mutant a harness, the first seed that found it, and how many it took. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Kill {
  readonly mutant: string;
  readonly harness: string;
  readonly seed: number;
  /** Seeds that the search took; the first that is tried is 1. */
  readonly tried: number;
}

const path = join(import.meta.dirname, 'kills.json');

export function readKills(): readonly Kill[] {
  const read: unknown = JSON.parse(readFileSync(path, 'utf8'));
  if (!Array.isArray(read) || !read.every(isKill)) throw new Error(`${path} is no table of kills`);
  return read;
}

function isKill(row: unknown): row is Kill {
  if (typeof row !== 'object' || row === null) return false;
  const { mutant, harness, seed, tried } = { ...emptyRow, ...row };
  return [mutant, harness].every(isText) && [seed, tried].every(Number.isSafeInteger);
}

const emptyRow = { mutant: undefined, harness: undefined, seed: undefined, tried: undefined };

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

/** Keeps one kill for each mutant and harness. */
export function recordKill(kill: Kill): void {
  const others = readKills().filter(
    ({ mutant, harness }) => mutant !== kill.mutant || harness !== kill.harness,
  );
  const kills = [...others, kill].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  writeFileSync(path, `[\n${kills.map((one) => `  ${spaced(one)}`).join(',\n')}\n]\n`);
}

function keyOf({ mutant, harness }: Kill): string {
  return `${mutant} ${harness}`;
}

function spaced(kill: Kill): string {
  return JSON.stringify(kill)
    .replaceAll(/([:,{])"/g, '$1 "')
    .replaceAll(/":(\d)/g, '": $1')
    .replace('}', ' }');
}
