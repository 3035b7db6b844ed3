/** Finds places in a log: by offset, through the sparse index and then along the heads of batches. */
import { invariant } from '../../proto/model/invariant.ts';
import { type Offset, offset } from '../../proto/model/offset.ts';
import type { HandlePool } from './handle-pool.ts';
import type { LogPlace } from './log-record.ts';
import type { Segment } from './segment.ts';
import { scanSegment } from './segment-scan.ts';
import type { SegmentSet } from './segment-set.ts';

/** The place of the batch that holds an offset, or of the log end. */
export async function placeOf(
  handles: HandlePool,
  segments: SegmentSet,
  at: Offset,
): Promise<LogPlace> {
  const segment = segments.floor(at);
  invariant(segment !== undefined, `offset ${at} is not below the oldest segment`);
  if (at >= segment.endOffset) {
    return { offset: segment.endOffset, segmentBase: segment.baseOffset, position: segment.bytes };
  }
  const index = await segments.indexOf(segment);
  const entry = index.floor(at) ?? { offset: segment.baseOffset, position: 0 };
  return scanTo(handles, segment, { entry, at });
}

async function scanTo(
  handles: HandlePool,
  segment: Segment,
  search: { readonly entry: { offset: number; position: number }; readonly at: Offset },
): Promise<LogPlace> {
  const { entry, at } = search;
  let found: LogPlace | undefined;
  const lease = await handles.lease(segment.path, 'write');
  try {
    const range = {
      from: entry.position,
      to: segment.bytes,
      nextOffset: entry.offset,
      epoch: -1,
      checkCrc: false,
    };
    const end = await scanSegment(lease.handle, range, ({ header, position }) => {
      if (header.lastOffset < at) return 'go-on';
      found = { offset: header.baseOffset, segmentBase: segment.baseOffset, position };
      return 'stop';
    });
    // Heads below the place are damaged: the place is where the good ones end.
    const reached = offset(end.nextOffset ?? segment.baseOffset);
    return found ?? { offset: reached, segmentBase: segment.baseOffset, position: end.position };
  } finally {
    lease.release();
  }
}
