/** Where runs of whole batches begin and end, read from their heads alone. */
import { invariant } from '../../proto/model/invariant.ts';
import { type Offset, offset } from '../../proto/model/offset.ts';
import { batchPrefixBytes, layout } from '../../proto/wire/batch-layout.ts';
import { readInt64 } from '../../proto/wire/int64.ts';

/** The exclusive end offset of checked batches: of the last batch in the last buffer. */
export function endOffsetOf(buffers: readonly Buffer[]): Offset {
  const last = buffers.at(-1);
  invariant(last !== undefined && last.length > 0, 'a run of batches is not empty');
  let at = 0;
  let end = 0;
  while (at < last.length) {
    const base = readInt64(last, at + layout.baseOffset);
    invariant(base !== undefined, 'a stored batch has an exact base offset');
    end = base + last.readInt32BE(at + layout.lastOffsetDelta) + 1;
    at += batchPrefixBytes + last.readInt32BE(at + layout.batchLength);
  }
  return offset(end);
}

/** The base offset of the first of these batches. */
export function baseOffsetOf(batches: Buffer): Offset {
  const base = readInt64(batches, layout.baseOffset);
  invariant(base !== undefined, 'a stored batch has an exact base offset');
  return offset(base);
}
