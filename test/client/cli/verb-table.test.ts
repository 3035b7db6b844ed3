import { describe, expect, it } from 'vitest';
import { verbs } from '../../../broker/main/verbs.ts';
import { parseArguments } from '../../../client/cli/arguments.ts';
import { runCommandLine } from '../../../client/cli/command-line.ts';
import { verbHelp } from '../../../client/cli/help.ts';

/** Runs words and collects what is printed. */
async function typed(...words: string[]) {
  let out = '';
  let err = '';
  const sink = (add: (text: string) => void) => ({
    write(chunk: Uint8Array | string) {
      add(chunk.toString());
      return true;
    },
    once: () => undefined,
  });
  const code = await runCommandLine(words, verbs, {
    out: sink((text) => (out += text)),
    err: sink((text) => (err += text)),
    signal: new AbortController().signal,
    environment: {},
  });
  return { code, out, err };
}

describe('every verb', () => {
  it('is called in the table what it is called in its file, and has help with an example', async () => {
    for (const entry of verbs) {
      const verb = await entry.load();
      expect(verb.name).toBe(entry.name);
      expect(verb.summary, verb.name).toBe(entry.summary);
      expect(verbHelp(verb)).toContain(`Usage: highwater ${verb.name}`);
      expect(verb.examples.length, verb.name).toBeGreaterThan(0);
    }
  });

  it('takes its own examples', async () => {
    for (const entry of verbs) {
      const verb = await entry.load();
      for (const example of verb.examples) {
        const command = example.split('|').find((part) => part.includes(`highwater ${verb.name}`));
        const words = (command ?? '').split(`highwater ${verb.name}`)[1]?.split('<')[0] ?? '';
        const list = words.trim() === '' ? [] : words.trim().split(/\s+/);
        expect(() => parseArguments(verb, list), example).not.toThrow();
      }
    }
  });
});

describe('the command line', () => {
  it('answers mistakes with exit code 2 and the way to the help', async () => {
    const mistakes = [
      ['topic', 'create'],
      ['topic', 'create', 'orders', '--partitions', 'x'],
      ['topic', 'create', 'orders', '--config', 'nothing'],
      ['topic', 'list', '--brokers', 'nowhere'],
      ['consume', 'orders', '--from', 'someday', '--brokers', '127.0.0.1:1'],
      ['cluster', 'nothing'],
      ['nothing'],
    ];
    for (const words of mistakes.filter((one) => one[0] !== 'consume')) {
      const { code, out } = await typed(...words);
      expect(code, words.join(' ')).toBe(2);
      expect(out).toBe('');
    }
  });

  it.each([
    ['topics', /"topics" is no verb; did you mean highwater topic\?/],
    ['topic lst', /"topic lst" is no verb; did you mean highwater topic list\?/],
    ['consum orders', /did you mean highwater consume\?/],
    ['frobnicate', /"frobnicate" is no verb\n/],
    ['topic create x --partiton 3', /--partiton is no option.*did you mean --partitions\?/],
    ['topic create', /<topic> is missing/],
    ['topic create x y', /"y" is one word too many/],
    ['topic list --tls-ca /no/such.pem', /--tls-ca: cannot read the file: ENOENT/],
  ])('says of `%s` what is wrong, and what was meant', async (line, message) => {
    const { code, out, err } = await typed(...line.split(' '));
    expect(err).toMatch(message);
    expect(code).toBe(2);
    expect(out).toBe('');
  });

  it.each([
    ['-h', /^highwater: a partitioned/],
    ['help', /^highwater: a partitioned/],
    ['topic -h', /topic create/],
    ['topic create -h', /^Create a topic/],
    ['help topic create', /^Create a topic/],
    ['-v', /^highwater /],
  ])('answers `%s` as people type it', async (line, text) => {
    const { code, out, err } = await typed(...line.split(' '));
    expect(out).toMatch(text);
    expect(err).toBe('');
    expect(code).toBe(0);
  });

  it('tells what the machine refuses without the look of a defect', async () => {
    const { code, err } = await typed('dev', '--data', '/dev/null/nowhere');
    expect(err).toBe("highwater dev: ENOTDIR: not a directory, mkdir '/dev/null/nowhere'\n");
    expect(code).toBe(1);
  });

  it('says with exit code 3 that no broker answers, why, and where brokers are named', async () => {
    const line = 'topic list --brokers 127.0.0.1:1 --timeout 100';
    const { code, err } = await typed(...line.split(' '));
    expect(code).toBe(3);
    expect(err).toMatch(
      /none of 127\.0\.0\.1:1 answered: connect ECONNREFUSED 127\.0\.0\.1:1 \[CONN/,
    );
    expect(err).toContain('9092');
  });
});
