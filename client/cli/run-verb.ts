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
  // A verb that goes on by itself ends when the reader of its pipe has left.
  const readerGone = new AbortController();
  const output = createOutput(host, isJson, () => readerGone.abort());
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
      signal:
        verb.isService === true ? host.signal : AbortSignal.any([host.signal, readerGone.signal]),
      environment: host.environment,
      ...(host.stdin === undefined ? {} : { stdin: host.stdin }),
    });
  } catch (caught) {
    // The reader of a pipe took what it wanted and left.
    if (caught instanceof OutputClosed || readerGone.signal.aborted) return exitCodes.done;
    if (caught instanceof UsageError) {
      output.note(`highwater ${verb.name}: ${caught.message}`);
      output.note(`Try highwater ${verb.name} --help`);
      return exitCodes.usage;
    }
    if (host.signal.aborted) return exitCodes.interrupted;
    if (isOfTheMachine(caught)) {
      output.note(`highwater ${verb.name}: ${caught.message}`);
      return exitCodes.failed;
    }
    const error = HighwaterError.from(caught);
    output.note(`highwater ${verb.name}: ${error.message} [${error.code}]`);
    if (error.code === 'INTERNAL' && caught instanceof Error) output.note(caught.stack ?? '');
    const isUnreachable =
      error.code === 'CONNECTION_LOST' || error.code === 'CONTROLLER_NOT_AVAILABLE';
    if (!isUnreachable) return exitCodes.failed;
    if (words.includes('--brokers') || host.environment['HIGHWATER_BROKERS'] !== undefined)
      output.note(
        'Does a broker listen for clients there (port 9092 unless said otherwise), and with TLS (--tls-ca)?',
      );
    else
      output.note(
        'Name brokers with --brokers or HIGHWATER_BROKERS; highwater dev starts a cluster.',
      );
    return exitCodes.unreachable;
  }
}

/** A file that may not be read, a full disk: said by the operating system, and no defect of the program. */
function isOfTheMachine(caught: unknown): caught is Error {
  if (!(caught instanceof Error) || caught instanceof HighwaterError) return false;
  const { code, errno } = caught as { readonly code?: unknown; readonly errno?: unknown };
  return [code, errno].some((word) => typeof word === 'string' && /^E[A-Z0-9]+$/.test(word));
}
