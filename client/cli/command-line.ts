/** From the words after `highwater` to a verb, with completion and help for the whole. */

import { nearestWord } from '../../proto/model/nearest-word.ts';
import { overviewHelp } from './help.ts';
import { runVerb, type VerbHost } from './run-verb.ts';
import { exitCodes, type Verb } from './verb.ts';

/** A verb that is loaded only when it runs, so that no verb pays for another's imports. */
export interface LazyVerb {
  readonly name: string;
  readonly summary: string;
  load(): Promise<Verb>;
}

/** Runs the command line and returns its exit code. */
export async function runCommandLine(
  words: readonly string[],
  verbs: readonly LazyVerb[],
  host: VerbHost,
): Promise<number> {
  const [first] = words;
  if (first === undefined) {
    host.err.write(overviewHelp(verbs));
    return exitCodes.usage;
  }
  if (['--version', '-v', '-V', 'version'].includes(first)) {
    host.out.write(`highwater ${host.version?.() ?? 'of an unknown version'}\n`);
    return exitCodes.done;
  }
  if (['--help', '-h', 'help'].includes(first)) {
    if (words.length > 1) return runCommandLine([...words.slice(1), '--help'], verbs, host);
    host.out.write(overviewHelp(verbs));
    return exitCodes.done;
  }
  const found = verbs
    .filter((verb) => verb.name.split(' ').every((word, index) => words[index] === word))
    .toSorted((a, b) => b.name.length - a.name.length)[0];
  if (found !== undefined) {
    const verb = await found.load();
    return runVerb(verb, words.slice(found.name.split(' ').length), host);
  }
  return notFound(words, verbs, host);
}

/** A family without its second word, or a word that is no verb. */
function notFound(words: readonly string[], verbs: readonly LazyVerb[], host: VerbHost): number {
  const [first = '', second] = words;
  const family = verbs.filter((verb) => verb.name.startsWith(`${first} `));
  if (family.length > 0 && (words.includes('--help') || words.includes('-h'))) {
    host.out.write(overviewHelp(family));
    return exitCodes.done;
  }
  if (family.length > 0 && (second === undefined || second.startsWith('-'))) {
    host.err.write(overviewHelp(family));
    return exitCodes.usage;
  }
  const typed = family.length > 0 ? `${first} ${second}` : first;
  const names = (family.length > 0 ? family : verbs).flatMap(({ name }) => [
    name,
    name.split(' ')[0] ?? name,
  ]);
  const near = nearestWord(typed, names);
  const meant = near === undefined ? '' : `; did you mean highwater ${near}?`;
  host.err.write(`highwater: ${JSON.stringify(typed)} is no verb${meant}\n`);
  host.err.write('Try highwater --help\n');
  return exitCodes.usage;
}
