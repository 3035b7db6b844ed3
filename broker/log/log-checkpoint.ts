/**
 * Brings the record of a log up to its files: flushed in place, then recovery point, epochs,
 * watermark and a snapshot of producer state in one commit. What lies below the recovery point is
 * not looked at after a crash.
 */
import type { Offset } from '../../proto/model/offset.ts';
import type { LogLifecycle } from './log-lifecycle.ts';
import type { LogPlace } from './log-record.ts';
import { LogChanges } from './log-store.ts';
import type { SegmentSet } from './segment-set.ts';

/**
 * An object: flushed only if so many bytes lie above the recovery point. `flushed`: in any case.
 * `idle`: and unloaded, if nothing more has arrived, so that only the record remains.
 */
export type CheckpointWish = { readonly unflushedBytesMax: number } | 'flushed' | 'idle';

/** An operation of the log. */
export async function checkpointLog(life: LogLifecycle, wish: CheckpointWish): Promise<void> {
  const { state, writer, context } = life;
  if (context.fatal() !== undefined || life.isAbandoned) return;
  const hasChanged = life.takeChanged();
  if (!life.isMarked && writer.unstoredBytes === 0) {
    if (hasChanged) await life.saveRecord();
    if (wish === 'idle') await unload(life);
    return;
  }
  const segments = await life.segments();
  if (
    typeof wish === 'object' &&
    bytesAbove(segments, state.recoveryPoint) < wish.unflushedBytesMax
  ) {
    if (hasChanged) await life.saveRecord();
    return;
  }
  // Taken with the log end it covers; that end is flushed before the snapshot is kept.
  const snapshot = life.producers()?.snapshot(state.logEndOffset);
  await writer.reached(state.logEndOffset);
  let reached = life.writtenPlace(segments);
  const flushFiles = (upTo: Offset): Promise<void> => {
    reached = life.writtenPlace(segments);
    return writer.files.flush(upTo);
  };
  if (context.rules.flushesBelowPoint) await writer.flushWith(flushFiles);
  state.recoveryPoint = reached;
  state.bytes = segments.bytes;
  const [oldest] = segments.all();
  if (oldest !== undefined) {
    state.oldestTimestamp = (await segments.indexOf(oldest)).largestTimestamp;
  }

  const changes = new LogChanges();
  if (snapshot !== undefined && snapshot.endOffset <= state.recoveryPoint.offset) {
    changes.producers(life.key, snapshot, keepFrom(life));
  }
  if (wish !== 'idle') {
    await life.saveRecord(changes);
    return;
  }
  await writer.exclusive(async () => {
    const isQuiet = state.logEndOffset === state.recoveryPoint.offset && writer.unstoredBytes === 0;
    if (isQuiet && snapshot?.endOffset === state.logEndOffset) {
      await life.saveRecord(changes.markIdle(life.key));
      life.unmarked();
      // An append that came meanwhile waits for this work to end, and then marks the log again.
      if (state.logEndOffset === state.recoveryPoint.offset) life.becomeIdle();
    } else {
      await life.saveRecord(changes);
    }
  });
}

/** What recovery would read. */
function bytesAbove(segments: SegmentSet, point: LogPlace): number {
  let bytes = 0;
  for (const segment of segments.all()) {
    if (segment.baseOffset > point.segmentBase) bytes += segment.bytes;
    else if (segment.baseOffset === point.segmentBase) bytes += segment.bytes - point.position;
  }
  return bytes;
}

/** A log that was only read: nothing of it needs to be kept in memory. */
async function unload(life: LogLifecycle): Promise<void> {
  await life.writer.exclusive(async () => {
    // A reader may just be opening it: let go now it would be opened a second time beside that.
    await life.whenLoaded();
    if (!life.isMarked && life.writer.unstoredBytes === 0) life.becomeIdle();
  });
}

/** One snapshot at or below the watermark stays: nothing is ever truncated below that. */
function keepFrom(life: LogLifecycle): number {
  let keep = 0;
  for (const end of life.context.store.snapshotEnds(life.key)) {
    if (end <= life.state.highWatermark) keep = end;
  }
  return keep;
}
