import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const child = fileURLToPath(new URL('./flood-process.ts', import.meta.url));
const MiB = 1024 * 1024;

interface Held {
  readonly rss: number;
  readonly heap: number;
}

interface Outcome {
  readonly before: Held;
  readonly after: Held;
  readonly answer: string;
  readonly calls: number;
  readonly heldBytes: number;
}

it('memory returns to its base line after floods on both wires, and others are served', async () => {
  const command = ['--expose-gc', '--import', 'tsx', child];
  const { stdout } = await promisify(execFile)(process.execPath, command, { timeout: 50_000 });
  const outcome = JSON.parse(stdout) as Outcome;
  expect(outcome).toMatchObject({ answer: 'still here', calls: 0, heldBytes: 0 });
  expect(outcome.after.heap - outcome.before.heap).toBeLessThan(4 * MiB);
  expect(outcome.after.rss - outcome.before.rss).toBeLessThan(64 * MiB);
}, 60_000);
