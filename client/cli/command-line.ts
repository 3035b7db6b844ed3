/** From the words after `highwater` to a verb, with completion and help for the whole. */
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
  if (first === '--version') {
    host.out.write(`highwater ${host.version?.() ?? 'of an unknown version'}\n`);
    return exitCodes.done;
  }
  if (first === undefined || first === '--help' || first === '-h' || first === 'help') {
    host.out.write(overviewHelp(verbs));
    return first === undefined ? exitCodes.usage : exitCodes.done;
  }
  const found = verbs
    .filter((verb) => verb.name.split(' ').every((word, index) => words[index] === word))
    .toSorted((a, b) => b.name.length - a.name.length)[0];
  if (found !== undefined) {
    const verb = await found.load();
    return runVerb(verb, words.slice(found.name.split(' ').length), host);
  }
  const family = verbs.filter((verb) => verb.name.startsWith(`${first} `));
  if (family.length > 0) {
    const isHelp = words.includes('--help');
    (isHelp ? host.out : host.err).write(overviewHelp(family));
    return isHelp ? exitCodes.done : exitCodes.usage;
  }
  host.err.write(
    `highwater: ${JSON.stringify(first)} is not a verb; highwater --help lists them\n`,
  );
  return exitCodes.usage;
}
