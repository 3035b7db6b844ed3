/**
 * Changes of a log's bounds: truncation of its end, a fresh start, deletion of its beginning.
 *
 * The decision is committed first, with epochs, recovery point and snapshots as they will be, and
 * only then are files touched; recovery carries out a decision that was not finished (rule B2.8).
 * Nothing is appended meanwhile, so carrying it out twice does no harm.
 */
import { HighwaterError } from '../../proto/model/errors.ts';
import { type Offset, offset } from '../../proto/model/offset.ts';
import { trimEpochs, truncateEpochs } from './core/epoch-history.ts';
import type { ProducerSnapshot } from './core/producer-state.ts';
import { checkpointLog } from './log-checkpoint.ts';
import { keepAside, type LogBounds, trimFiles } from './log-files.ts';
import { logName } from './log-key.ts';
import type { LogLifecycle } from './log-lifecycle.ts';
import { placeOf } from './log-places.ts';
import { deleteCompacted, forgetCompaction, LogChanges } from './log-store.ts';
import { replayProducers } from './producer-replay.ts';
import type { SegmentSet } from './segment-set.ts';

/** Cuts the end of the log; resolves to the new end. */
export async function cutLog(
  life: LogLifecycle,
  to: Offset,
  options: { readonly keepAside: boolean },
): Promise<Offset> {
  const { state, writer, context } = life;
  if (to < state.highWatermark && !options.keepAside) {
    throw new HighwaterError(
      'POSSIBLE_LOSS',
      `The log would be cut to ${to}, below its watermark ${state.highWatermark}.`,
      { facts: { to, highWatermark: state.highWatermark } },
    );
  }
  await writer.reached(state.logEndOffset);
  return writer.exclusive(async () => {
    const segments = await life.segments();
    await writer.files.flush(writer.written);
    const wanted = to < state.logEndOffset ? to : state.logEndOffset;
    const from = wanted < state.logStartOffset ? state.logStartOffset : wanted;
    const end = await placeOf(context.handles, segments, from);
    if (options.keepAside) {
      const name = `${logName(life.key)}-${context.clock.wall()}`;
      await keepAside(filesOf(life), end, { keptPath: context.keptPath, name });
    }
    if (context.rules.cutsEpochs) state.epochs = truncateEpochs(state.epochs, end.offset);
    if (state.logStartOffset > end.offset) state.logStartOffset = end.offset;
    const changes = new LogChanges();
    if (context.rules.cutsSnapshots) changes.cutProducers(life.key, end.offset);
    forgetCompaction(changes, context.store, { key: life.key, end: end.offset });
    // What lies below the start is still among the loaded segments: it goes when they are loaded anew.
    await carryOut(life, { removeTo: offset(0), end }, changes);
    segments.cutTo(end);
    const request = { key: life.key, segments, config: life.config, end: end.offset };
    if (context.rules.cutsProducers) state.producers = await replayProducers(context, request);
    life.resetMemory(end.offset);
    return end.offset;
  });
}

/** Drops all records; the log begins anew and empty at `start`. */
export async function restartAt(life: LogLifecycle, start: Offset): Promise<void> {
  const { state, writer, context } = life;
  await writer.reached(state.logEndOffset);
  await writer.exclusive(async () => {
    const segments = await life.segments();
    await writer.files.flush(writer.written);
    state.epochs = [];
    state.logStartOffset = start;
    state.highWatermark = start;
    const end = { offset: start, segmentBase: start, position: 0 };
    const changes = new LogChanges();
    // Nobody is known here: what is known of the old log may never have been in the one that begins.
    changes.cutProducers(life.key, start).producers(life.key, nobody(start), start);
    forgetCompaction(changes, context.store, { key: life.key, end: 0 });
    await carryOut(life, { removeTo: start, end }, changes);
    segments.restart(end);
    state.producers = undefined;
    life.tail.clear();
    life.resetMemory(start);
  });
}

function nobody(endOffset: Offset): ProducerSnapshot {
  return { endOffset, largestTimestamp: -1, entries: [] };
}

/** Decision, files, and the end of the decision. */
async function carryOut(life: LogLifecycle, left: LogBounds, changes: LogChanges): Promise<void> {
  const { state, context } = life;
  const { end } = left;
  state.recoveryPoint = end;
  if (state.highWatermark > end.offset) state.highWatermark = end.offset;
  state.journalFrom = context.journal.nextSequence;
  await life.mark();
  if (context.rules.decidesCutFirst) await life.saveRecord(changes, true);
  await trimFiles(filesOf(life), left);
  await life.saveRecord(context.rules.decidesCutFirst ? new LogChanges() : changes);
}

/** Raises the log start; whole segments below it go. Resolves to the log start. */
export async function deleteBelow(life: LogLifecycle, to: Offset): Promise<Offset> {
  const { state } = life;
  if (to > state.highWatermark && life.context.rules.deletesBelowWatermark) {
    throw new HighwaterError('OFFSET_OUT_OF_RANGE', `Offset ${to} is above the watermark.`, {
      facts: { to, highWatermark: state.highWatermark },
    });
  }
  if (to <= state.logStartOffset) return state.logStartOffset;
  // Recovery never begins in a segment that is gone.
  if (state.recoveryPoint.offset <= to) await checkpointLog(life, 'flushed');
  const segments = await life.segments();
  // All of it may go: then recovery begins in the segment that comes next.
  const { baseOffset } = segments.active;
  if (state.recoveryPoint.offset === baseOffset) {
    state.recoveryPoint = { offset: baseOffset, segmentBase: baseOffset, position: 0 };
  }
  const changes = await keepProducers(life, segments, to);
  const bytes = bytesBelow(segments, to);
  deleteCompacted(changes, life.context.store, { key: life.key, bytes });
  state.logStartOffset = to;
  state.epochs = trimEpochs(state.epochs, to);
  // The new start is durable before a byte goes; what a crash in between leaves is removed when the
  // log is opened again.
  await life.saveRecord(changes);
  const gone = segments.dropBelow(to);
  for (const segment of gone) {
    await life.context.handles.forget(segment.path);
    await life.context.fs.remove(segment.path);
  }
  const last = gone.at(-1);
  if (last !== undefined) {
    life.context.indexes.remove(life.key, 0, last.endOffset);
    await life.context.fs.syncDirectory(life.folder);
  }
  life.changed();
  return offset(state.logStartOffset);
}

/**
 * Producers whose batches go with their segments must stay known: there has to be a snapshot that
 * covers those segments, and no truncation may ever need an older one.
 */
async function keepProducers(
  life: LogLifecycle,
  segments: SegmentSet,
  to: Offset,
): Promise<LogChanges> {
  const { state, context } = life;
  const changes = new LogChanges();
  if (!context.rules.keepsProducers) return changes;
  let end = 0;
  for (const segment of segments.all()) {
    if (segment.kind === 'sealed' && segment.endOffset <= to) end = segment.endOffset;
  }
  const ends = context.store.snapshotEnds(life.key);
  if (end === 0 || ends.some((at) => at >= end && at <= state.highWatermark)) return changes;
  const request = { key: life.key, segments, config: life.config, end };
  const producers = await replayProducers(context, request);
  return changes.producers(life.key, producers.snapshot(end), 0);
}

/** Bytes of the segments that go. */
function bytesBelow(segments: SegmentSet, to: Offset): number {
  let bytes = 0;
  for (const segment of segments.all()) {
    if (segment.kind === 'sealed' && segment.endOffset <= to) bytes += segment.bytes;
  }
  return bytes;
}

function filesOf(life: LogLifecycle): Parameters<typeof trimFiles>[0] {
  return { fs: life.context.fs, handles: life.context.handles, folder: life.folder };
}
