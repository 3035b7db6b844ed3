/** The options by which a verb reaches a cluster, and the client that they make. */
import { readFileSync } from 'node:fs';
import type { Client } from '../client.ts';
import { connect } from '../connect.ts';
import { UsageError, type VerbInput, type VerbOption } from './verb.ts';

/** Options of every verb that speaks to a cluster. */
export const clusterOptions: readonly VerbOption[] = [
  {
    name: 'brokers',
    value: 'HOST:PORT,…',
    meaning: 'Some brokers of the cluster (default $HIGHWATER_BROKERS or 127.0.0.1:9092).',
  },
  { name: 'token', value: 'TOKEN', meaning: 'Bearer token (default $HIGHWATER_TOKEN).' },
  {
    name: 'timeout',
    value: 'MS',
    meaning: 'How long to look for a broker that answers.',
    default: '5000',
  },
  { name: 'tls-ca', value: 'FILE', meaning: 'Authority (PEM) of the brokers; turns TLS on.' },
  { name: 'tls-cert', value: 'FILE', meaning: 'Own certificate (PEM), where brokers ask for one.' },
  { name: 'tls-key', value: 'FILE', meaning: 'Key (PEM) of the own certificate.' },
];

/** Opens a client, runs, and closes it whatever happens. */
export async function withClient<Result>(
  input: VerbInput,
  run: (client: Client) => Promise<Result>,
): Promise<Result> {
  const { environment } = input;
  const list = input.option('brokers') ?? environment['HIGHWATER_BROKERS'] ?? '127.0.0.1:9092';
  const brokers = list
    .split(',')
    .map((address) => address.trim())
    .filter((address) => address !== '');
  const wrong = brokers.find((address) => !/^.+:\d{1,5}$/.test(address));
  if (wrong !== undefined || brokers.length === 0)
    throw new UsageError(`--brokers ${JSON.stringify(wrong ?? list)}: expected host:port`);
  const token = input.option('token') ?? environment['HIGHWATER_TOKEN'];
  const tls = tlsOf(input);
  const client = await connect({
    brokers,
    signal: input.signal,
    clientId: 'highwater-cli',
    connectTimeoutMs: wholeNumber(input, 'timeout', 1) ?? 5_000,
    ...(token === undefined ? {} : { token }),
    ...(tls === undefined ? {} : { tls }),
  });
  try {
    return await run(client);
  } finally {
    await client.close();
  }
}

/** A whole number from `min`, or a mistake of the user. */
export function wholeNumber(input: VerbInput, name: string, min: number): number | undefined {
  const text = input.option(name);
  return text === undefined ? undefined : wholeText(text, `--${name}`, min);
}

/** The same for any word that the user typed. */
export function wholeText(text: string, what: string, min: number): number {
  const value = Number(text);
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(value) || value < min)
    throw new UsageError(`${what} ${JSON.stringify(text)}: expected a whole number from ${min}`);
  return value;
}

/** One of several words. */
export function choiceOf<Choice extends string>(
  input: VerbInput,
  name: string,
  choices: readonly Choice[],
): Choice | undefined {
  const text = input.option(name);
  if (text === undefined) return undefined;
  const found = choices.find((choice) => choice === text);
  if (found === undefined)
    throw new UsageError(
      `--${name} ${JSON.stringify(text)}: expected one of ${choices.join(', ')}`,
    );
  return found;
}

/** NAME=VALUE words; `what` names the option in a mistake. */
export function pairsOf(words: readonly string[], what: string): Map<string, string> {
  return new Map(
    words.map((word) => {
      const at = word.indexOf('=');
      if (at < 1) throw new UsageError(`${what} ${JSON.stringify(word)}: expected NAME=VALUE`);
      return [word.slice(0, at), word.slice(at + 1)];
    }),
  );
}

function tlsOf(input: VerbInput): Parameters<typeof connect>[0]['tls'] {
  const authority = input.option('tls-ca');
  const certificate = input.option('tls-cert');
  const key = input.option('tls-key');
  if (authority === undefined && certificate === undefined && key === undefined) return undefined;
  return {
    ...(authority === undefined ? {} : { authority: readPem('tls-ca', authority) }),
    ...(certificate === undefined ? {} : { certificate: readPem('tls-cert', certificate) }),
    ...(key === undefined ? {} : { key: readPem('tls-key', key) }),
  };
}

function readPem(option: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (caught) {
    const why = caught instanceof Error ? caught.message : String(caught);
    throw new UsageError(`--${option}: cannot read the file: ${why}`);
  }
}
