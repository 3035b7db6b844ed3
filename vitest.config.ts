import { defineConfig } from 'vitest/config';

/** What `npm test` runs: everything that takes seconds. The rest is in vitest.wide.config.ts. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/wide/**', 'test/browser/**'],
    pool: 'forks',
    // Most files wait for processes and timers as much as they compute: two at once, whatever the machine.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['default'],
  },
});
