/**
 * Producer state at an offset, from the log: the latest snapshot that covers nothing above it, and
 * the heads of the batches in between. Without a snapshot all of the log is replayed (rule B6.4).
 */
import { offset } from '../../proto/model/offset.ts';
import { ProducerState, type ProducerStateSettings } from './core/producer-state.ts';
import type { LogConfig } from './log-config.ts';
import type { LogContext } from './log-context.ts';
import type { LogKey } from './log-key.ts';
import { placeOf } from './log-places.ts';
import { scanSegment } from './segment-scan.ts';
import type { SegmentSet } from './segment-set.ts';

/** Which log, and up to where. */
export interface ReplayRequest {
  readonly key: LogKey;
  readonly segments: SegmentSet;
  readonly config: LogConfig;
  readonly end: number;
}

/** The state that covers exactly what lies below `end`. */
export async function replayProducers(
  context: LogContext,
  request: ReplayRequest,
): Promise<ProducerState> {
  const { key, segments, end } = request;
  const snapshot = context.store.producersAt(key, end);
  const state = new ProducerState(producerSettings(context, request.config), snapshot);
  const oldest = segments.all()[0]?.baseOffset ?? 0;
  const from = Math.max(snapshot?.endOffset ?? 0, oldest);
  if (from >= end || !context.rules.replaysProducers) return state;

  const start = await placeOf(context.handles, segments, offset(from));
  for (const segment of segments.all()) {
    if (segment.baseOffset < start.segmentBase || segment.bytes === 0) continue;
    if (segment.baseOffset >= end) break;
    const isFirst = segment.baseOffset === start.segmentBase;
    const lease = await context.handles.lease(segment.path, 'write');
    try {
      const range = {
        from: isFirst ? start.position : 0,
        to: segment.bytes,
        nextOffset: isFirst ? start.offset : segment.baseOffset,
        epoch: -1,
        checkCrc: false,
      };
      await scanSegment(lease.handle, range, ({ header }) => {
        if (header.baseOffset >= end) return 'stop';
        if (header.baseOffset >= from) state.apply(header);
        return 'go-on';
      });
    } finally {
      lease.release();
    }
  }
  return state;
}

/** Bounds of the state of one log. */
export function producerSettings(context: LogContext, config: LogConfig): ProducerStateSettings {
  return {
    expiryMs: config.producerExpiryMs,
    producersMax: context.limits.producersPerLogMax,
    rules: context.rules,
  };
}
