import { defineConfig } from 'vitest/config';

/** `npm run test:browser`: what a person sees in a real Chromium. One file at a time: each owns the machine. */
export default defineConfig({
  test: {
    include: ['test/browser/**/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 60_000,
    reporters: ['default'],
  },
});
