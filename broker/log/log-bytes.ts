/**
 * How many bytes of a log lie between two offsets: indexes say where to begin, heads of batches decide.
 * A batch counts as a whole as long as one of its records does.
 */
import type { HandlePool } from './handle-pool.ts';
import type { Segment } from './segment.ts';
import { scanSegment } from './segment-scan.ts';
import type { SegmentSet } from './segment-set.ts';

/** Bytes of the written batches that hold the offsets from `from` to before `to`. */
export async function bytesBetween(
  handles: HandlePool,
  segments: SegmentSet,
  range: { readonly from: number; readonly to: number },
): Promise<number> {
  if (range.from >= range.to) return 0;
  const begin = await bytesBefore(handles, segments, range.from, 'of-its-batch');
  const end = await bytesBefore(handles, segments, range.to, 'behind-its-batch');
  return Math.max(0, end - begin);
}

/** Bytes of the log before an offset: before the batch that holds it, or behind one that holds the one below. */
async function bytesBefore(
  handles: HandlePool,
  segments: SegmentSet,
  at: number,
  place: 'of-its-batch' | 'behind-its-batch',
): Promise<number> {
  // Behind its batch means: where the batch ends that holds the last offset below.
  const sought = place === 'of-its-batch' ? at : at - 1;
  let before = 0;
  for (const segment of segments.all()) {
    if (segment.endOffset > sought)
      return before + (await positionIn(handles, segments, { segment, sought, place }));
    before += segment.bytes;
  }
  return before;
}

async function positionIn(
  handles: HandlePool,
  segments: SegmentSet,
  wanted: {
    readonly segment: Segment;
    readonly sought: number;
    readonly place: 'of-its-batch' | 'behind-its-batch';
  },
): Promise<number> {
  const { segment, sought, place } = wanted;
  if (segment.bytes === 0 || sought < segment.baseOffset) return 0;
  const entry = (await segments.indexOf(segment)).floor(sought);
  let found = entry?.position ?? 0;
  const lease = await handles.lease(segment.path, 'write');
  try {
    const range = {
      from: found,
      to: segment.bytes,
      nextOffset: entry?.offset ?? segment.baseOffset,
      epoch: -1,
      checkCrc: false,
    };
    await scanSegment(lease.handle, range, ({ header, position }) => {
      found = position;
      if (header.lastOffset < sought) return 'go-on';
      if (place === 'behind-its-batch') found += header.byteLength;
      return 'stop';
    });
  } finally {
    lease.release();
  }
  return found;
}
