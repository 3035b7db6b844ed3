import { test } from 'vitest';
import { everyStoreRule } from '../../../controller/raft/core/store-rules.ts';
import { walkStore } from './store-walk.ts';

test('300 stores with a bad row hold what was acknowledged, or tell that they do not', async () => {
  for (let seed = 1; seed <= 300; seed++) {
    await walkStore(seed, everyStoreRule).catch((caught: unknown) => {
      throw new Error(`the walk of seed ${seed} failed`, { cause: caught });
    });
  }
});

test('a log is not cut below the snapshot that covers it, though its bounds are of an earlier write', async () => {
  for (const seed of [28, 410, 624]) await walkStore(seed, everyStoreRule);
});
