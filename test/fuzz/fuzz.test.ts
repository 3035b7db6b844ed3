import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { runFuzz } from './runner.ts';
import { fuzzTargets } from './target.ts';

const runs = 1_000;
const corpusAt = new URL('./corpus/', import.meta.url);
const corpus = await readdir(corpusAt, { recursive: true });

describe.each(Object.entries(fuzzTargets))('the decoder of %s', (name, load) => {
  it('keeps its promises on damaged input', async () => {
    const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000_000);
    expect(await runFuzz(await load(), { seed, runs })).toBe(runs);
  });

  it('keeps its promises on what broke them before', async () => {
    const target = await load();
    await target.seeds();
    for (const file of corpus.filter((path) => path.startsWith(`${name}/`))) {
      const input = Buffer.from((await readFile(new URL(file, corpusAt), 'utf8')).trim(), 'hex');
      expect(() => target.check(input), file).not.toThrow();
    }
  });
});
