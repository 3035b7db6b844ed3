import { defineConfig } from 'vitest/config';

/** What `npm test` runs: everything that takes seconds. The rest is in vitest.wide.config.ts. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/wide/**', 'test/browser/**'],
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['default'],
  },
});
