/** Runs one verb: arguments in, exit code out, every failure told in one place. */
import { HighwaterError } from '../../proto/model/errors.ts';
import { parseArguments } from './arguments.ts';
import { verbHelp } from './help.ts';
import { createOutput, OutputClosed, type Sink } from './output.ts';
import { exitCodes, UsageError, type Verb } from './verb.ts';

export interface VerbHost {
  readonly out: Sink;
  readonly err: Sink;
  /** Instead of the process's standard input. */
  readonly stdin?: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Of the package, asked only when the caller wants to know. */
  version?(): string;
}

/** Parses, runs and reports. Never throws for what a user or a cluster can cause. */
export async function runVerb(
  verb: Verb,
  words: readonly string[],
  host: VerbHost,
): Promise<number> {
  const isJson = words.includes('--json');
  const output = createOutput(host, isJson);
  try {
    const { positionals, values } = parseArguments(verb, words);
    if (values.has('help')) {
      host.out.write(verbHelp(verb));
      return exitCodes.done;
    }
    const defaults = new Map(verb.options.map((option) => [option.name, option.default]));
    return await verb.run({
      positionals,
      option: (name) => values.get(name)?.[0] ?? defaults.get(name),
      options: (name) => values.get(name) ?? [],
      has: (name) => values.has(name),
      output,
      signal: host.signal,
      environment: host.environment,
      ...(host.stdin === undefined ? {} : { stdin: host.stdin }),
    });
  } catch (caught) {
    // The reader of a pipe took what it wanted and left.
    if (caught instanceof OutputClosed) return exitCodes.done;
    if (caught instanceof UsageError) {
      output.note(`highwater ${verb.name}: ${caught.message}`);
      output.note(`Try highwater ${verb.name} --help`);
      return exitCodes.usage;
    }
    const error = HighwaterError.from(caught);
    if (host.signal.aborted) return exitCodes.interrupted;
    output.note(`highwater ${verb.name}: ${error.message} [${error.code}]`);
    if (error.code === 'INTERNAL' && caught instanceof Error) output.note(caught.stack ?? '');
    const isUnreachable =
      error.code === 'CONNECTION_LOST' || error.code === 'CONTROLLER_NOT_AVAILABLE';
    return isUnreachable ? exitCodes.unreachable : exitCodes.failed;
  }
}
