/** Retention of one log: whole segments below the watermark go by age and by size. */
import { type Offset, offset } from '../../proto/model/offset.ts';
import { type RetainedSegment, retentionStart } from './core/retention-policy.ts';
import type { LogConfig } from './log-config.ts';
import { deleteBelow } from './log-cut.ts';
import type { LogLifecycle } from './log-lifecycle.ts';
import type { SegmentSet } from './segment-set.ts';

/** What is known of a log without opening a file. */
export interface RetentionHint {
  readonly bytes: number;
  readonly oldestTimestamp: number;
}

/** False if nothing can be due: so an idle log is not opened for it. */
export function mayExpire(config: LogConfig, hint: RetentionHint, nowMs: number): boolean {
  if (config.retentionBytes >= 0 && hint.bytes > config.retentionBytes) return true;
  if (config.retentionMs < 0 || hint.oldestTimestamp < 0) return false;
  return nowMs - hint.oldestTimestamp > config.retentionMs;
}

/** Applies the topic's retention; resolves to the log start. An operation of the log. */
export async function retainLog(life: LogLifecycle, nowMs: number): Promise<Offset> {
  const { state, config, writer, context } = life;
  const segments = await life.segments();
  const retained = await describe(segments, config, nowMs);
  const start = retentionStart(config, {
    segments: retained,
    highWatermark: context.rules.deletesBelowWatermark ? state.highWatermark : state.logEndOffset,
    logStartOffset: state.logStartOffset,
    nowMs,
  });
  if (start <= state.logStartOffset) return state.logStartOffset;
  if (start === segments.active.endOffset) {
    // All of it has expired: the active segment is sealed, so that it can go like the others.
    await writer.exclusive(() => {
      const isAllWritten = writer.stored <= writer.written;
      if (segments.active.bytes > 0 && isAllWritten) writer.files.sealed(segments.roll());
      return Promise.resolve();
    });
  }
  return deleteBelow(life, offset(start));
}

/** Timestamps are looked up from the oldest segment on, until one is young enough. */
async function describe(
  segments: SegmentSet,
  config: LogConfig,
  nowMs: number,
): Promise<RetainedSegment[]> {
  const described: RetainedSegment[] = [];
  let isYoung = config.retentionMs < 0;
  for (const segment of segments.all()) {
    const index = isYoung ? undefined : await segments.indexOf(segment);
    const largestTimestamp = index?.largestTimestamp ?? nowMs;
    if (nowMs - largestTimestamp <= config.retentionMs) isYoung = true;
    const { baseOffset, endOffset, bytes } = segment;
    described.push({ baseOffset, endOffset, bytes, largestTimestamp });
  }
  return described;
}
