import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { fuzzTargets } from '../fuzz/target.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const rows = readFileSync(`${root}docs/bad-input.md`, 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| F'));

/** Each test file that a row names, with the claims that follow it. */
function claimsOf(row: string): { file: string; claims: string[] }[] {
  const found: { file: string; claims: string[] }[] = [];
  for (const [, file, claim] of row.matchAll(/`(test\/[^`]+)`|"([^"]+)"/g)) {
    if (file !== undefined) found.push({ file, claims: [] });
    else if (claim !== undefined) found.at(-1)?.claims.push(claim);
  }
  return found;
}

describe('the table of bad input', () => {
  it('has the rows F1 to F21, in order', () => {
    const numbers = rows.map((row) => row.slice(2, row.indexOf(' ', 2)));
    expect(numbers).toEqual(Array.from({ length: 21 }, (_, index) => `F${index + 1}`));
  });

  it.each(rows)('names tests that exist: %s', (row) => {
    const named = claimsOf(row);
    expect(named.length).toBeGreaterThan(0);
    for (const { file, claims } of named) {
      expect(existsSync(root + file), file).toBe(true);
      const text = readFileSync(root + file, 'utf8');
      expect(claims.filter((claim) => !text.includes(claim))).toEqual([]);
      expect(claims.length, file).toBeGreaterThan(0);
    }
    const targets = [...row.matchAll(/fuzz -- ([a-z-]+)/g)].map(([, target]) => target ?? '');
    expect(targets.filter((target) => !Object.hasOwn(fuzzTargets, target))).toEqual([]);
  });
});
