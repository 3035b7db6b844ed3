/** From typed words to a verb's input: exact, helpful about mistakes, and never guessing. */
import { parseArgs } from 'node:util';
import { nearestWord } from '../../proto/model/nearest-word.ts';
import { UsageError, type Verb, type VerbOption } from './verb.ts';

/** Options that every verb has. */
export const commonOptions: readonly VerbOption[] = [
  { name: 'json', meaning: 'Print one JSON value a line instead of tables.' },
  { name: 'help', short: 'h', meaning: 'Print this help.' },
];

export interface ParsedArguments {
  readonly positionals: readonly string[];
  readonly values: ReadonlyMap<string, readonly string[]>;
}

/** Parses the words after the verb. */
export function parseArguments(verb: Verb, words: readonly string[]): ParsedArguments {
  const options = [...verb.options, ...commonOptions];
  const { tokens } = parseArgs({
    args: [...words],
    allowPositionals: true,
    strict: false,
    tokens: true,
    options: Object.fromEntries(
      options.map((option) => [
        option.name,
        {
          type: option.value === undefined ? 'boolean' : 'string',
          multiple: true,
          ...(option.short === undefined ? {} : { short: option.short }),
        },
      ]),
    ),
  });
  const values = new Map<string, string[]>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const option = options.find((candidate) => candidate.name === token.name);
    if (option === undefined)
      throw new UsageError(
        `${token.rawName} is no option of this verb${nearest(token.name, options)}`,
      );
    values.set(option.name, [...(values.get(option.name) ?? []), valueOf(option, token.value)]);
  }
  checkCounts(verb, options, positionals, values);
  return { positionals, values };
}

function valueOf(option: VerbOption, value: string | undefined): string {
  if (option.value === undefined) {
    if (value !== undefined) throw new UsageError(`--${option.name} takes no value`);
    return 'true';
  }
  if (value === undefined) throw new UsageError(`--${option.name} needs ${option.value}`);
  return value;
}

function checkCounts(
  verb: Verb,
  options: readonly VerbOption[],
  positionals: readonly string[],
  values: ReadonlyMap<string, readonly string[]>,
): void {
  for (const option of options) {
    const count = values.get(option.name)?.length ?? 0;
    if (count > 1 && option.repeated !== true)
      throw new UsageError(`--${option.name} was given ${count} times`);
  }
  if (values.has('help')) return;
  const names = verb.positionals ?? [];
  const required = names.filter((name) => name.startsWith('<'));
  const missing = required[positionals.length];
  if (missing !== undefined) throw new UsageError(`${missing} is missing`);
  const isOpenEnded = names.at(-1)?.includes('...') ?? false;
  if (positionals.length > names.length && !isOpenEnded) {
    throw new UsageError(`${JSON.stringify(positionals[names.length])} is one word too many`);
  }
}

function nearest(name: string, options: readonly VerbOption[]): string {
  const near = nearestWord(
    name,
    options.map((option) => option.name),
  );
  return near === undefined ? '' : `; did you mean --${near}?`;
}
