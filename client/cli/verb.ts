/**
 * One verb of the command line: what it takes, what it does, how it is explained. The parser, `--help`
 * and shell completion are all made from these values.
 */
import type { Output } from './output.ts';

export interface VerbOption {
  /** Long name without dashes. */
  readonly name: string;
  /** One letter that means the same. */
  readonly short?: string;
  /** Word for the value in the help; absent for a switch. */
  readonly value?: string;
  readonly meaning: string;
  readonly default?: string;
  /** May be given several times. */
  readonly repeated?: boolean;
}

export interface Verb {
  /** Words of the verb, as typed: `topic create`. */
  readonly name: string;
  readonly summary: string;
  /** Positional arguments, as shown in the usage line: `<topic>` required, `[topic]` optional. */
  readonly positionals?: readonly string[];
  readonly options: readonly VerbOption[];
  readonly examples: readonly string[];
  /** It goes on when nobody reads what it prints any more. */
  readonly isService?: boolean;
  /** Returns the exit code. Failures are thrown as HighwaterError or UsageError. */
  run(input: VerbInput): Promise<number>;
}

export interface VerbInput {
  readonly positionals: readonly string[];
  /** Options as given, or their default. */
  option(name: string): string | undefined;
  /** All values of a repeated option. */
  options(name: string): readonly string[];
  has(name: string): boolean;
  readonly output: Output;
  /** Instead of the process's standard input. */
  readonly stdin?: AsyncIterable<Uint8Array>;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The caller typed something that cannot be meant: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Stable exit codes of every verb. */
export const exitCodes = {
  done: 0,
  /** The operation failed; the message says why. */
  failed: 1,
  /** Wrong use of the command line. */
  usage: 2,
  /** No broker could be reached. */
  unreachable: 3,
  /** A check found something wrong: `log verify`, a lesson whose claim did not hold. */
  notAsClaimed: 4,
  /** Ended by SIGINT. */
  interrupted: 130,
} as const;
