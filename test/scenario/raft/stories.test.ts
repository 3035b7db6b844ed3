import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { everyRule } from '../../../controller/raft/core/rules.ts';
import { InvariantViolation } from '../../../proto/model/invariant.ts';
import { retell } from './story.ts';

const folder = fileURLToPath(new URL('.', import.meta.url));
const stories = readdirSync(folder).filter((name) => name.endsWith('.txt'));

const ruleNames = Object.keys(everyRule);

/** `REWRITE=1` writes down what comes of each story, to be read before it is believed. */
const isRewriting = process.env['REWRITE'] === '1';

describe('the quorum', () => {
  it.each(stories)('goes through %s as it is written', (name) => {
    const path = `${folder}/${name}`;
    const story = readFileSync(path, 'utf8');
    const told = retell(story);
    if (isRewriting) writeFileSync(path, told);
    expect(told).toBe(isRewriting ? told : story);
  });

  it.each(ruleNames)('tells some story otherwise, or breaks off, without the rule %s', (rule) => {
    const rules = { ...everyRule, [rule]: false };
    const isTold = stories.some((name) => {
      const story = readFileSync(`${folder}/${name}`, 'utf8');
      try {
        return retell(story, rules) !== story;
      } catch (error) {
        return error instanceof InvariantViolation;
      }
    });
    expect(isTold, 'a rule whose absence nobody notices is not tested').toBe(true);
  });
});
