import { defineConfig } from 'vitest/config';

/** `SEED=n FAULTS=n npm run chaos`: random faults against real processes, as long as one likes. */
export default defineConfig({
  test: {
    include: ['test/chaos/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 3_600_000,
    hookTimeout: 60_000,
    reporters: ['default'],
  },
});
