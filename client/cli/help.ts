/** The text of `--help`, for the whole command line and for one verb. */
import { commonOptions } from './arguments.ts';
import type { Verb } from './verb.ts';

/** What `highwater --help` needs to know of a verb before it is loaded. */
export interface VerbSummary {
  readonly name: string;
  readonly summary: string;
}

/** The help of the whole command line. */
export function overviewHelp(verbs: readonly VerbSummary[]): string {
  const width = Math.max(...verbs.map((verb) => verb.name.length));
  return [
    'highwater: a partitioned, replicated log broker',
    '',
    'Usage: highwater <verb> [options]',
    '',
    ...verbs.map((verb) => `  ${verb.name.padEnd(width)}  ${verb.summary}`),
    '',
    'highwater <verb> --help explains one verb, with examples. A cluster to try it on: highwater dev',
    '',
    'HIGHWATER_BROKERS and HIGHWATER_TOKEN stand for --brokers and --token. Exit codes: 0 done, 1 failed,',
    '2 wrong use, 3 no broker reached, 4 a check or a lesson did not hold, 130 interrupted.',
    '',
  ].join('\n');
}

/** The help of one verb. */
export function verbHelp(verb: Verb): string {
  const usage = ['highwater', verb.name, ...(verb.positionals ?? []), '[options]'].join(' ');
  const rows = [...verb.options, ...commonOptions].map((option) => {
    const short = option.short === undefined ? '' : `-${option.short}, `;
    const left = `${short}--${option.name}${option.value === undefined ? '' : ` ${option.value}`}`;
    const more =
      option.default === undefined || option.default === '' ? '' : ` (default ${option.default})`;
    return { left, right: `${option.meaning}${more}` };
  });
  const width = Math.max(...rows.map((row) => row.left.length));
  return [
    verb.summary,
    '',
    `Usage: ${usage}`,
    '',
    ...rows.map((row) => `  ${row.left.padEnd(width)}  ${row.right}`),
    '',
    ...(verb.examples.length > 0
      ? ['Examples:', ...verb.examples.map((line) => `  ${line}`), '']
      : []),
  ].join('\n');
}
