import { defineConfig } from 'vitest/config';

/** Tests with real processes and many rounds: minutes, not seconds. One file at a time: each owns the machine. */
export default defineConfig({
  test: {
    include: ['test/wide/**/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 60_000,
    reporters: ['default'],
  },
});
