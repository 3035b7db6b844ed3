import { expect, test } from 'vitest';
import { makeReport, renderReport } from '../../../bench/harness/report.ts';

const bench = {
  name: 'any',
  purpose: 'to be rendered',
  goals: [
    { key: 'ratio', goal: { atLeast: 2 }, meaning: 'ours ÷ theirs' },
    { key: 'other', goal: { atMost: 1 }, meaning: 'against a peer' },
  ],
  run: () => Promise.reject(new Error('it is not run here')),
};
const machine = {
  cpu: 'one',
  cores: 2,
  memoryGB: 8,
  kernel: 'any',
  node: 'v20',
  dataPath: 'data',
  fdatasyncMs: 1,
  loadAverage: 0,
};
const outcome = {
  figures: { ratio: 1.5 },
  samples: { ratio: [1.4, 1.5, 1.6] },
  histograms: { 'load: ours': [[160, 3]] as const },
  parity: { limits: ['one machine', 'one disk'] },
};

test('a peer that is missing is named, and the run counts without it', () => {
  const skipped = { other: 'the peer is not there: npm run peers brings it' };
  const report = makeReport(bench, { ...outcome, skipped }, { machine, invalid: [] });
  expect(report.valid).toBe(true);
  const table = renderReport(bench, report);
  expect(table).toMatch(/^other +– +<= 1 +skipped/m);
  expect(table).toContain('other: the peer is not there: npm run peers brings it');
  expect(table).toMatch(/^ratio +1.5 +>= 2 +NO/m);
  expect(table).toMatch(/^ +one disk$/m);
  expect(table).toContain('--heap-growing-percent=1000');
});

test('a key without a figure and without a reason makes the run invalid', () => {
  const report = makeReport(bench, outcome, { machine, invalid: [] });
  expect(report).toMatchObject({ valid: false, invalid: ['no figure for other'] });
});

test('the object for programs holds the raw histograms', () => {
  const report = makeReport(bench, outcome, { machine, invalid: [] });
  expect(JSON.parse(JSON.stringify(report))).toMatchObject({
    histograms: { 'load: ours': [[160, 3]] },
  });
});
