/**
 * Files on their way into a log: `<base>-<end>.cleaned` is being written, `<base>-<end>.swap` is whole
 * and counts in the place of every segment between its offsets, from the moment that name is durable.
 */
import { type Offset, offset } from '../../../proto/model/offset.ts';

/** A file that stands for the segments from `baseOffset` to `endOffset`. */
export interface SwapFile {
  readonly kind: 'cleaned' | 'swap';
  readonly baseOffset: Offset;
  /** Exclusive. */
  readonly endOffset: Offset;
}

export function swapFileName({ kind, baseOffset, endOffset }: SwapFile): string {
  return `${digits(baseOffset)}-${digits(endOffset)}.${kind}`;
}

/** Undefined for any other file. */
export function parseSwapFileName(name: string): SwapFile | undefined {
  const match = /^([0-9]{20})-([0-9]{20})\.(cleaned|swap)$/.exec(name);
  const [base, end] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || !Number.isSafeInteger(base) || !Number.isSafeInteger(end)) return undefined;
  const kind = match[3] === 'swap' ? 'swap' : 'cleaned';
  return { kind, baseOffset: offset(base), endOffset: offset(end) };
}

function digits(at: number): string {
  return String(at).padStart(20, '0');
}
