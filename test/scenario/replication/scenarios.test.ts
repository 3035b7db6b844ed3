import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { everyRule } from '../../../broker/replication/core/rules.ts';
import { breakRule } from './break-rule.ts';
import { parseTranscript, replay } from './transcript.ts';

/**
 * Goal: each trap of replication and election is told as a story and comes out as promised; and with
 * a rule broken that the story names, it does not. `REWRITE=1` writes what happened into the files,
 * to be reviewed as prose.
 */
const folder = import.meta.dirname;
const files = readdirSync(folder).filter((name) => name.endsWith('.txt'));

describe.each(files)('%s', (name) => {
  const path = join(folder, name);
  const text = readFileSync(path, 'utf8');
  const transcript = parseTranscript(text);
  const expected = transcript.lines.map(({ expected }) => expected);

  test('comes out as told', () => {
    const happened = replay(transcript, transcript.options);
    if (process.env['REWRITE'] !== undefined) writeFileSync(path, rewrite(text, happened));
    else expect(pair(transcript.lines, happened)).toEqual(pair(transcript.lines, expected));
  });

  for (const rule of transcript.guards) {
    test(`does not come out as told without the rule ${rule}`, () => {
      let happened: string[] | undefined;
      try {
        happened = replay(transcript, { ...transcript.options, ...breakRule(rule) });
      } catch (error) {
        expect(error).toMatchObject({ name: 'Violation' });
      }
      expect(happened).not.toEqual(expected);
    });
  }
});

test('in production every rule holds and none can be switched', () => {
  expect(Object.isFrozen(everyRule)).toBe(true);
  expect(Object.values(everyRule).every((holds) => holds)).toBe(true);
});

function pair(lines: readonly { action: string }[], results: readonly string[]): string[] {
  return lines.map(({ action }, index) => `${action} -> ${results[index]}`);
}

/** Puts what happened behind the arrows; comments and blank lines stay. */
function rewrite(text: string, happened: readonly string[]): string {
  let index = -2;
  const lines = text.split('\n').map((line) => {
    const bare = line.replace(/#.*/, '').trim();
    if (bare === '' || bare.startsWith('guards ')) return line;
    index++;
    if (index < 0) return line;
    const action = bare.split('->')[0]?.trim() ?? '';
    const result = happened[index] ?? '';
    return result === '' ? action : `${action.padEnd(34)} -> ${result}`;
  });
  return lines.join('\n');
}
