/** Looks up batches by timestamp: indexes say where to begin, heads of batches decide. */
import type { HandlePool } from './handle-pool.ts';
import { scanSegment } from './segment-scan.ts';
import type { SegmentSet } from './segment-set.ts';

/** The batch that holds the first record with a timestamp at or above the one asked for. */
export interface TimestampPlace {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly maxTimestamp: number;
}

/** The first written batch whose largest timestamp reaches the one asked for. */
export async function findTimestamp(
  handles: HandlePool,
  segments: SegmentSet,
  wanted: { readonly timestamp: number; readonly from: number },
): Promise<TimestampPlace | undefined> {
  for (const segment of segments.all()) {
    if (segment.endOffset <= wanted.from || segment.bytes === 0) continue;
    const index = await segments.indexOf(segment);
    if (index.largestTimestamp < wanted.timestamp) continue;
    const entry = index.floorByTimestamp(wanted.timestamp);
    let found: TimestampPlace | undefined;
    const lease = await handles.lease(segment.path, 'write');
    try {
      const range = {
        from: entry?.position ?? 0,
        to: segment.bytes,
        nextOffset: entry?.offset ?? segment.baseOffset,
        epoch: -1,
        checkCrc: false,
      };
      await scanSegment(lease.handle, range, ({ header }) => {
        if (header.maxTimestamp < wanted.timestamp || header.lastOffset < wanted.from) {
          return 'go-on';
        }
        const { baseOffset, lastOffset, maxTimestamp } = header;
        found = { baseOffset, lastOffset, maxTimestamp };
        return 'stop';
      });
    } finally {
      lease.release();
    }
    if (found !== undefined) return found;
  }
  return undefined;
}
