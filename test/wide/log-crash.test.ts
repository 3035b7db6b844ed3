/**
 * Goal: a killed node has everything that it said to be stored, nothing twice, and always starts.
 * Method: a real process writes on the real disk and is killed with SIGKILL at random moments, 200
 * times, starts included; in half of the runs its file system also drops what was not flushed.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SeededRandom } from '../../proto/ports/memory/seeded-random.ts';

const kills = Number(process.env['KILLS'] ?? 100);
const seed = process.env['SEED'] ?? '1';
const writer = fileURLToPath(new URL('./log-crash-writer.ts', import.meta.url));
let root = '';

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'highwater-log-crash-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** What the parent knows of one log: no start may show less. */
interface Known {
  stored: number;
  /** Set while a cut is under way: what is told to be stored meanwhile may go with it. */
  cuttingTo: number | undefined;
}

/** One life of the writer; resolves to what it printed. */
function live(words: readonly string[], ms: number): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', 'tsx', writer, ...words], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    let timer: NodeJS.Timeout | undefined;
    child.stdout.on('data', (part: Buffer) => {
      text += part.toString();
      // The moment is counted from when the program runs: loading it takes longer than its start.
      timer ??= setTimeout(() => child.kill('SIGKILL'), ms);
    });
    // Far above what a start takes on a machine that is busy with other work.
    const late = setTimeout(() => child.kill('SIGKILL'), 120_000);
    child.on('error', reject);
    child.on('close', (_, signal) => {
      clearTimeout(timer);
      clearTimeout(late);
      const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
      if (signal === 'SIGKILL' && text.length > 0) resolve(lines);
      else reject(new Error(`the writer ended by itself: ${lines.slice(-5).join(' | ')}`));
    });
  });
}

function note(known: Map<number, Known>, lines: readonly string[]): void {
  for (const line of lines) {
    const [what = '', partition = '', value = '', more = ''] = line.split(' ');
    const log = known.get(Number(partition)) ?? { stored: 0, cuttingTo: undefined };
    known.set(Number(partition), log);
    const least = Math.min(log.stored, log.cuttingTo ?? log.stored);
    if (what === 'end') {
      expect(Number(more), `log ${partition} after a start`).toBeGreaterThanOrEqual(least);
      log.stored = Number(more);
      log.cuttingTo = undefined;
    } else if (what === 'stored') log.stored = Number(value);
    else if (what === 'cutting') log.cuttingTo = Math.max(0, Number(value) - 3);
    else if (what === 'cut') {
      log.stored = Number(value);
      log.cuttingTo = undefined;
    } else if (what === 'fatal') throw new Error(line);
  }
}

describe.each(['kill', 'lossy'])('a writer killed at random moments (%s)', (mode) => {
  test(`has everything stored after each of ${kills} kills`, { timeout: 900_000 }, async () => {
    const random = new SeededRandom(`${seed} ${mode}`);
    const path = join(root, mode);
    const known = new Map<number, Known>();
    let running = 0;
    for (let life = 0; life < kills; life++) {
      const lines = await live([path, mode, `${seed}-${life}`], random.below(250));
      note(known, lines);
      if (lines.includes('running')) running++;
    }
    expect(running).toBeGreaterThan(kills / 2);
    let stored = 0;
    for (const log of known.values()) stored += log.stored;
    expect(stored).toBeGreaterThan(100);
  });
});
