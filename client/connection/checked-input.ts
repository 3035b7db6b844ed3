/** What a user passes in is checked once, here: a mistake is an error of the call, never a crash. */
import { HighwaterError } from '../../proto/model/errors.ts';
import {
  type NodeId,
  nodeId,
  type PartitionNumber,
  partitionNumber,
} from '../../proto/model/ids.ts';
import { limits } from '../../proto/model/limits.ts';
import { nearestWord } from '../../proto/model/nearest-word.ts';
import { type Offset, offset } from '../../proto/model/offset.ts';

/** The call cannot be meant: nothing was sent. */
export function invalidRequest(message: string): HighwaterError {
  return new HighwaterError('INVALID_REQUEST', message, { outcome: 'not-written' });
}

/** A node id from 1. */
export function checkedNode(value: number): NodeId {
  if (!Number.isSafeInteger(value) || value < 1)
    throw invalidRequest(`node ${value}: expected a whole number from 1`);
  return nodeId(value);
}

/** A partition number from 0. */
export function checkedPartition(value: number): PartitionNumber {
  if (!Number.isSafeInteger(value) || value < 0 || value >= limits.topicPartitionsMax)
    throw invalidRequest(`partition ${value}: expected a whole number from 0`);
  return partitionNumber(value);
}

/** An offset from 0 to 2^53 - 1. */
export function checkedOffset(value: bigint): Offset {
  const number = Number(value);
  if (typeof value !== 'bigint' || value < 0n || !Number.isSafeInteger(number))
    throw invalidRequest(`offset ${String(value)}: expected a bigint from 0n`);
  return offset(number);
}

/** One of several words; what is no such word is not taken for one. */
export function checkedChoice<Choice extends string>(
  value: Choice,
  choices: readonly NoInfer<Choice>[],
  what: string,
): Choice {
  if (choices.includes(value)) return value;
  throw invalidRequest(`${what} ${shown(value)}: expected one of ${choices.join(', ')}`);
}

/** The object that a call cannot do without. */
export function checkedOptions<Options extends object>(options: Options, what: string): Options {
  if (typeof options === 'object' && options !== null) return options;
  throw invalidRequest(`${what}: expected an object, not ${shown(options)}`);
}

/** Refuses an option that there is not: a mistyped one would silently leave its default in force. */
export function checkNames<Options extends object>(
  options: Options,
  known: Readonly<Record<keyof Options, unknown>>,
  what: string,
): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || Object.hasOwn(known, name)) continue;
    const near = nearestWord(name, Object.keys(known));
    const hint = near === undefined ? `one of ${Object.keys(known).join(', ')}` : near;
    throw invalidRequest(`${what}: there is no option ${shown(name)}; expected ${hint}`);
  }
}

/** A list of texts. */
export function checkedTexts(value: readonly string[], what: string): readonly string[] {
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value;
  throw invalidRequest(`${what} ${shown(value)}: expected a list of texts`);
}

/** A refused value as the caller would have written it. */
export function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

/** A count from `min` that travels as 32 bits. */
export function checkedCount(value: number, min: number, what: string): number {
  if (!Number.isSafeInteger(value) || value < min || value > 0xffff_ffff)
    throw invalidRequest(`${what} ${value}: expected a whole number from ${min}`);
  return value;
}
