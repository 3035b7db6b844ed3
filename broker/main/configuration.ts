/**
 * Where a node's settings come from, weakest first: defaults, highwater.json, HIGHWATER_* variables,
 * flags. All of them are read by the same rows, and whatever is unknown or impossible stops the start.
 */
import { existsSync, readFileSync } from 'node:fs';
import { UsageError, type VerbInput } from '../../client/cli/verb.ts';
import {
  type NodeSettings,
  nodeSettings,
  readNodeSettings,
} from '../../proto/model/node-settings.ts';

const prefix = 'HIGHWATER_';
/** Variables that belong to the command line's client side or to tests, not to a node. */
const foreign = new Set([
  'HIGHWATER_BROKERS',
  'HIGHWATER_CONFIG',
  'HIGHWATER_TOKEN',
  'HIGHWATER_TEST_DISK',
]);

/** Reads all sources or throws a UsageError that lists everything wrong at once. */
export function readConfiguration(input: VerbInput): NodeSettings {
  const given = new Map<string, string>();
  const file = input.option('config') ?? input.environment['HIGHWATER_CONFIG'];
  if (file !== undefined) overlay(given, fromFile(file));
  else if (existsSync('highwater.json')) overlay(given, fromFile('highwater.json'));
  overlay(given, fromEnvironment(input.environment));
  for (const row of nodeSettings) {
    const value = input.option(row.name);
    if (value !== undefined) given.set(row.name, value);
  }
  const read = readNodeSettings(given);
  if ('refusals' in read) throw new UsageError(read.refusals.join('\n'));
  return read.settings;
}

function overlay(target: Map<string, string>, source: ReadonlyMap<string, string>): void {
  for (const [name, value] of source) target.set(name, value);
}

function fromFile(path: string): ReadonlyMap<string, string> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, 'utf8'));
  } catch (caught) {
    const why = caught instanceof Error ? caught.message : String(caught);
    throw new UsageError(`cannot read the configuration ${path}: ${why}`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new UsageError(`the configuration ${path} must be one JSON object of settings`);
  }
  return new Map(
    Object.entries(parsed).map(([name, value]) => [name, scalarText(path, name, value)]),
  );
}

function scalarText(path: string, name: string, value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return String(value);
  throw new UsageError(`setting ${name} in ${path}: expected a text, a number or a boolean`);
}

function fromEnvironment(environment: VerbInput['environment']): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [key, value] of Object.entries(environment)) {
    if (value === undefined || !key.startsWith(prefix) || foreign.has(key)) continue;
    found.set(key.slice(prefix.length).toLowerCase().replaceAll('_', '-'), value);
  }
  return found;
}
