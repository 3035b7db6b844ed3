/**
 * Compacts one log: passes over its sealed segments below the watermark, each with as many keys as
 * the memory allows, until all that was dirty is clean or it is told to stop.
 *
 * A pass reads the keys of the dirty part, then writes the segments anew, oldest first, and exchanges
 * each group as soon as it is flushed. What a stop or a crash leaves is a valid log in which some
 * segments are done; the next pass begins where the last one that was recorded ended.
 *
 * Reading and writing happen beside everything else. Only the exchange is an operation of the log, so
 * a cut or a deletion never waits for a pass, and a pass that finds its segments gone gives up.
 */
import { type Offset, offset } from '../../../proto/model/offset.ts';
import { FileSystemError } from '../../../proto/ports/file-system.ts';
import { ProducerState } from '../core/producer-state.ts';
import type { IoPace } from '../io-pace.ts';
import type { LogLifecycle } from '../log-lifecycle.ts';
import { LogChanges } from '../log-store.ts';
import { producerSettings, replayProducers } from '../producer-replay.ts';
import type { SealedSegment } from '../segment.ts';
import { segmentFileName } from '../segment.ts';
import type { SegmentSet } from '../segment-set.ts';
import type { CompactionPass } from './batch-filter.ts';
import { type CompactionPlan, groupSegments, planCompaction } from './core/compaction-plan.ts';
import { OffsetMap } from './core/offset-map.ts';
import { type GroupResult, rewriteGroup } from './group-rewrite.ts';
import { buildMap } from './map-builder.ts';
import { swapIn } from './segment-swap.ts';

/** What a pass may use and do. */
export interface CompactionRequest {
  readonly pace: IoPace;
  /** Memory for the keys of one pass. */
  readonly mapBytesMax: number;
  /** Marks of deleted keys may go: every replica has them. */
  readonly mayDropMarks: boolean;
}

/** How it ended. */
export interface CompactionReport {
  /** `changed`: the segments were cut or deleted meanwhile. */
  readonly kind: 'nothing-due' | 'done' | 'stopped' | 'no-room' | 'changed' | 'damaged';
  readonly passes: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  readonly recordsDropped: number;
  /** Where and why, if damaged. */
  readonly damage: { readonly path: string; readonly reason: string } | undefined;
}

interface Sheet {
  passes: number;
  bytesBefore: number;
  bytesAfter: number;
  recordsDropped: number;
  damage: CompactionReport['damage'];
}

type Ending = CompactionReport['kind'];

/** False if nothing can be due: so an idle log is not opened for it. */
export function mayCompact(
  life: Pick<LogLifecycle, 'config' | 'state' | 'key' | 'context' | 'bytes' | 'loadedSegments'>,
  mayDropMarks: boolean,
): boolean {
  const { config, state, context, key } = life;
  if (config.compaction === undefined) return false;
  const mark = context.store.compaction(key);
  const cleanedTo = Math.max(mark?.cleanedTo ?? 0, state.logStartOffset);
  const activeBase = life.loadedSegments?.active.baseOffset ?? state.recoveryPoint.segmentBase;
  const dirtyBytes = life.bytes - (mark?.cleanBytes ?? 0);
  const marksAreDue =
    mark !== undefined &&
    mayDropMarks &&
    mark.nextHorizonMs >= 0 &&
    mark.nextHorizonMs <= context.clock.wall();
  const mayBeDirty = dirtyBytes >= config.compaction.dirtyRatioMin * life.bytes;
  return marksAreDue || (activeBase > cleanedTo && mayBeDirty);
}

/** Compacts the log if it is due. */
export async function compactLog(
  life: LogLifecycle,
  request: CompactionRequest,
): Promise<CompactionReport> {
  const sheet: Sheet = {
    passes: 0,
    bytesBefore: 0,
    bytesAfter: 0,
    recordsDropped: 0,
    damage: undefined,
  };
  let kind: Ending = 'nothing-due';
  for (;;) {
    const ending = await onePass(life, request, sheet).catch((caught: unknown) =>
      endingOf(life, caught),
    );
    if (ending === 'nothing-due') break;
    kind = ending;
    if (ending !== 'done') break;
  }
  // A log that was opened for this becomes idle again like any other.
  if (!life.isClosed) life.changed();
  return { kind, ...sheet };
}

/** A segment that is gone was deleted or cut meanwhile; any other failure of the disk is fatal. */
function endingOf(life: LogLifecycle, caught: unknown): Ending {
  if (caught instanceof FileSystemError && caught.errno === 'ENOENT') return 'changed';
  if (caught instanceof FileSystemError) life.context.onFatal(caught);
  throw caught;
}

/** One pass; `done` if it was recorded, and there may be more to do. */
async function onePass(
  life: LogLifecycle,
  request: CompactionRequest,
  sheet: Sheet,
): Promise<Ending> {
  const { context, cuts } = life;
  const segments = await life.segments();
  const planned = await plan(life, segments, request);
  if (planned === undefined) return 'nothing-due';
  const sealed = sealedOf(segments).slice(0, planned.segments);
  const mark = context.store.compaction(life.key);
  const from = Math.max(mark?.cleanedTo ?? 0, sealed[0]?.baseOffset ?? 0);
  const map = new OffsetMap(request.mapBytesMax);
  const options = { handles: context.handles, pace: request.pace, wantsRecords: true };
  const built = await buildMap(map, { segments: sealed, from }, options);
  if (built.kind === 'stopped') return 'stopped';
  if (built.kind === 'damaged') {
    sheet.damage = { path: built.path, reason: built.reason };
    return 'damaged';
  }
  const pass: CompactionPass = {
    map,
    mapEnd: Math.max(built.mapEnd, from),
    nowMs: context.clock.wall(),
    mayDropMarks: request.mayDropMarks,
    deleteRetentionMs: life.config.compaction?.deleteRetentionMs ?? 0,
    remembered: await rememberedBatches(life, segments, planned.end),
    hasUnreadable: false,
  };
  return rewriteAll(life, request, { sealed, pass, sheet, cuts });
}

async function rewriteAll(
  life: LogLifecycle,
  request: CompactionRequest,
  work: {
    readonly sealed: readonly SealedSegment[];
    readonly pass: CompactionPass;
    readonly sheet: Sheet;
    /** Of the log when the pass began. */
    readonly cuts: number;
  },
): Promise<Ending> {
  const { sealed, pass, sheet, cuts } = work;
  const touched = sealed.filter((segment) => segment.baseOffset < pass.mapEnd);
  let nextHorizonMs = -1;
  for (const [from, to] of groupSegments(touched, life.config.segmentBytes)) {
    const group = touched.slice(from, to);
    const bytes = group.reduce((sum, segment) => sum + segment.bytes, 0);
    const { folder } = life;
    const result = await rewriteGroup(life.context, {
      folder,
      segments: group,
      pass,
      pace: request.pace,
    });
    const ending = await finishGroup(life, { group, cuts }, result);
    if (ending !== 'done') {
      if (result.kind === 'damaged') sheet.damage = { path: result.path, reason: result.reason };
      return ending;
    }
    const isWritten = result.kind === 'written';
    sheet.bytesBefore += bytes;
    sheet.bytesAfter += isWritten ? result.bytes : bytes;
    sheet.recordsDropped += isWritten ? result.dropped : 0;
    const horizon = isWritten || result.kind === 'same' ? result.nextHorizonMs : -1;
    if (horizon >= 0) {
      nextHorizonMs = nextHorizonMs < 0 ? horizon : Math.min(nextHorizonMs, horizon);
    }
  }
  // Marks above a batch that cannot be read do not go before there is something else to do.
  if (pass.hasUnreadable) nextHorizonMs = -1;
  await life.operation(async () => {
    if (life.isClosed || life.isAbandoned || life.cuts !== cuts) return;
    if (life.state.highWatermark < pass.mapEnd) return;
    // A cut that came between has taken back what this pass would record.
    const segments = await life.segments();
    const last = segments.floor(pass.mapEnd - 1);
    if (last?.kind !== 'sealed' || last.endOffset !== touched.at(-1)?.endOffset) return;
    const clean = sealedOf(segments).filter((segment) => segment.baseOffset < pass.mapEnd);
    const cleanBytes = clean.reduce((sum, { bytes }) => sum + bytes, 0);
    const mark = { cleanedTo: pass.mapEnd, cleanBytes, nextHorizonMs };
    await life.saveRecord(new LogChanges().compaction(life.key, mark));
  });
  sheet.passes++;
  return 'done';
}

async function finishGroup(
  life: LogLifecycle,
  written: { readonly group: readonly SealedSegment[]; readonly cuts: number },
  result: GroupResult,
): Promise<Ending> {
  const { group, cuts } = written;
  if (result.kind === 'same') return 'done';
  if (result.kind !== 'written') return result.kind;
  const { fs, handles } = life.context;
  const { file, bytes, index } = result;
  const { baseOffset, endOffset } = file;
  const path = `${life.folder}/${segmentFileName(baseOffset)}`;
  const by: SealedSegment = { kind: 'sealed', baseOffset, endOffset, bytes, path, index };
  const isDone = await life.operation(async () => {
    // What has come after a cut may look the same from outside, and need not be flushed either.
    if (life.isAbandoned || life.isClosed || life.cuts !== cuts) return false;
    const segments = await life.segments();
    const done = await segments.exchange(group, by, () =>
      swapIn({ fs, handles, folder: life.folder }, file, group.length),
    );
    if (done) life.state.bytes = segments.bytes;
    return done;
  });
  return isDone ? 'done' : 'changed';
}

async function plan(
  life: LogLifecycle,
  segments: SegmentSet,
  request: CompactionRequest,
): Promise<CompactionPlan | undefined> {
  const { config, state, context, key } = life;
  const { compaction } = config;
  if (compaction === undefined || life.isClosed || request.pace.isStopped) return undefined;
  const sealed = sealedOf(segments);
  if (sealed.length === 0) return undefined;
  if (state.recoveryPoint.segmentBase < segments.active.baseOffset) {
    await life.checkpoint('flushed');
  }
  const mark = context.store.compaction(key);
  const described = [];
  for (const segment of sealed) {
    const { baseOffset, endOffset, bytes } = segment;
    const { largestTimestamp } = await segments.consistently(() => segments.indexOf(segment));
    described.push({ baseOffset, endOffset, bytes, largestTimestamp });
  }
  return planCompaction(
    { ...compaction, segmentBytes: config.segmentBytes },
    {
      segments: described,
      highWatermark: context.rules.compactsBelowWatermark
        ? state.highWatermark
        : state.logEndOffset,
      flushedTo: state.recoveryPoint.segmentBase,
      cleanedTo: mark?.cleanedTo ?? 0,
      nextHorizonMs: mark?.nextHorizonMs ?? -1,
      mayDropMarks: request.mayDropMarks,
      nowMs: context.clock.wall(),
    },
  );
}

/**
 * The batches that producer state remembers at an offset from which on nothing is ever replayed
 * differently: the end of what is compacted, or a snapshot between there and the watermark.
 */
async function rememberedBatches(
  life: LogLifecycle,
  segments: SegmentSet,
  end: Offset | number,
): Promise<ReadonlySet<number>> {
  const { context, state, key, config } = life;
  const from = context.store.snapshotEnds(key).find((at) => at >= end && at <= state.highWatermark);
  const snapshot = from === undefined ? undefined : context.store.producersAt(key, from);
  const producers =
    snapshot !== undefined && snapshot.endOffset >= end
      ? new ProducerState(producerSettings(context, config), snapshot)
      : await life.operation(() =>
          replayProducers(context, { key, segments, config, end: offset(end) }),
        );
  const { entries } = producers.snapshot(end);
  return new Set(entries.flatMap((entry) => entry.batches.map((batch) => batch.baseOffset)));
}

function sealedOf(segments: SegmentSet): readonly SealedSegment[] {
  return segments.all().filter((segment) => segment.kind === 'sealed');
}
