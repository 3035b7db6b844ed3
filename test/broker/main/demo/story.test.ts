import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Claims } from '../../../../broker/main/demo/claims.ts';
import { Recording } from '../../../../broker/main/demo/recording.ts';
import { lookOf, Story, wrapped } from '../../../../broker/main/demo/story.ts';
import { createOutput } from '../../../../client/cli/output.ts';

function outputOf(columns?: number) {
  const sink = { write: () => true, once: () => undefined };
  const out = columns === undefined ? sink : { ...sink, columns };
  return createOutput({ out, err: sink }, false);
}

function told(width: number, hasColour: boolean): { story: Story; lines: string[] } {
  const lines: string[] = [];
  const recording = new Recording(() => 1_234);
  return { story: new Story(recording, (line) => lines.push(line), { width, hasColour }), lines };
}

describe('a story', () => {
  it('is plain where there is no terminal, and where none is wanted', () => {
    expect(lookOf(outputOf(), {})).toEqual({ width: 100, hasColour: false });
    expect(lookOf(outputOf(80), {})).toEqual({ width: 80, hasColour: true });
    expect(lookOf(outputOf(80), { NO_COLOR: '1' }).hasColour).toBe(false);
    expect(lookOf(outputOf(80), { TERM: 'dumb' }).hasColour).toBe(false);
    const { story, lines } = told(60, false);
    story.chapter('begins');
    story.why('because');
    story.verdict(new Claims(), 'take this');
    expect(lines.join('')).not.toContain('\u001b');
  });

  it('keeps to the width, whatever is told', () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 40, max: 120 }),
        (words, width) => {
          const { story, lines } = told(width, false);
          story.act(words.join(' '));
          for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
          expect(lines.join(' ')).toContain(words[0]);
        },
      ),
    );
  });

  it('wraps between words and loses none', () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^\S{1,30}$/), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 5, max: 80 }),
        (words, width) => {
          expect(wrapped(words.join(' '), width).join(' ')).toBe(words.join(' '));
        },
      ),
    );
  });

  it('says in its last line whether the claim holds', () => {
    const { story, lines } = told(80, false);
    const claims = new Claims();
    claims.equals('lost', 1, 0);
    story.verdict(claims, 'take this');
    expect(lines.at(-1)).toBe('The claim does not hold.');
    expect(lines.join('\n')).toContain('1 (expected 0)');
  });

  it('has something to take along only where the claim holds', () => {
    const { story, lines } = told(80, false);
    const claims = new Claims();
    claims.equals('lost', 0, 0);
    story.verdict(claims, 'nothing was lost');
    expect(lines.at(-1)).toBe('Take along: nothing was lost');
    claims.equals('doubled', 1, 0);
    story.verdict(claims, 'nothing was lost');
    expect(lines.at(-1)).toBe('The claim does not hold.');
  });
});
