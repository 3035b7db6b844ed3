/** `highwater demo`: lessons in replication, played by real processes, each with a verdict. */
import { writeFileSync } from 'node:fs';
import { toJson } from '../../../client/cli/output.ts';
import { exitCodes, UsageError, type Verb, type VerbInput } from '../../../client/cli/verb.ts';
import type { LazyLesson } from './lesson.ts';
import { lessons } from './lesson-table.ts';
import { type LessonOutcome, playLesson } from './play-lesson.ts';
import { reportPage } from './report.ts';
import { lookOf } from './story.ts';

const all = 'all';

export const demoVerb: Verb = {
  name: 'demo',
  summary: 'Show how replication behaves when things fail, with a verdict.',
  positionals: ['[lesson]'],
  options: [
    { name: 'record', value: 'FILE', meaning: 'Write an HTML report with plots and the timeline.' },
    { name: 'times', value: 'COUNT', meaning: 'Play so many times, and count.', default: '1' },
    { name: 'stay', meaning: 'Keep the cluster after the verdict until Ctrl-C.' },
  ],
  examples: [
    'highwater demo',
    'highwater demo failover',
    'highwater demo isr --record isr.html',
    'highwater demo all --times 20',
  ],
  async run(input) {
    const [name] = input.positionals;
    if (name === undefined) return list(input);
    const chosen = name === all ? lessons : lessons.filter((lesson) => lesson.name === name);
    if (chosen.length === 0)
      throw new UsageError(
        `no lesson ${JSON.stringify(name)}; there are ${lessons.map((one) => one.name).join(', ')}, all`,
      );
    return playAll(input, chosen, timesOf(input));
  },
};

function list({ output }: VerbInput): number {
  output.rows(
    ['lesson', 'claim'],
    lessons.map(({ name, summary }) => ({ lesson: name, claim: summary })),
  );
  output.say('');
  output.say('highwater demo <lesson> plays one, highwater demo all plays them all.');
  return exitCodes.done;
}

async function playAll(
  input: VerbInput,
  chosen: readonly LazyLesson[],
  times: number,
): Promise<number> {
  const record = input.option('record');
  if (record !== undefined && (chosen.length > 1 || times > 1))
    throw new UsageError('--record takes one lesson, played once');
  const tally = new Map(chosen.map(({ name }) => [name, { held: 0, slowestMs: 0 }]));
  for (let round = 0; round < times; round++) {
    for (const lazy of chosen) {
      if (input.signal.aborted) return exitCodes.interrupted;
      const outcome = await playOne(input, lazy);
      const kept = tally.get(lazy.name);
      if (kept === undefined) continue;
      kept.held += outcome.holds ? 1 : 0;
      kept.slowestMs = Math.max(kept.slowestMs, outcome.elapsedMs);
      if (record !== undefined) writeFileSync(record, reportPage(outcome));
      if (record !== undefined) input.output.say(`The report: ${record}`);
    }
  }
  if (chosen.length > 1 || times > 1) summary(input, tally, times);
  const isGood = [...tally.values()].every(({ held }) => held === times);
  return isGood ? exitCodes.done : exitCodes.notAsClaimed;
}

async function playOne(input: VerbInput, lazy: LazyLesson): Promise<LessonOutcome> {
  const { output, environment, signal } = input;
  const outcome = await playLesson(await lazy.load(), {
    say: (line) => output.say(line),
    look: lookOf(output, environment),
    environment,
    signal,
    ...(input.has('stay') ? { linger: () => lingering(input) } : {}),
  });
  if (output.isJson) {
    const { lesson, holds, elapsedMs, claims } = outcome;
    await output.write(`${toJson({ lesson, holds, elapsedMs, claims })}\n`);
  }
  return outcome;
}

async function lingering({ output, signal }: VerbInput): Promise<void> {
  output.say('');
  output.say('The cluster goes on. Ctrl-C stops it.');
  if (!signal.aborted)
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}

function summary(
  { output }: VerbInput,
  tally: ReadonlyMap<string, { readonly held: number; readonly slowestMs: number }>,
  times: number,
): void {
  if (output.isJson) return;
  output.say('');
  output.rows(
    ['lesson', 'held', 'slowest'],
    [...tally].map(([lesson, { held, slowestMs }]) => ({
      lesson,
      held: `${held} of ${times}`,
      slowest: `${(slowestMs / 1_000).toFixed(1)} s`,
    })),
  );
}

function timesOf(input: VerbInput): number {
  const text = input.option('times') ?? '1';
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new UsageError(`--times ${text}: expected 1 to 9999`);
  return Number(text);
}
