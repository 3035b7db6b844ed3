/**
 * Finds the end of a log after a crash: from the recovery point on every batch is checked, a torn
 * tail is cut, damage is told apart from it, kept aside and reported (rules B4.15, B5.5). Epoch
 * history and producer state follow from the batches.
 *
 * When it resolves, files and record agree and are durable, and the log counts as idle.
 */
import { leaderEpoch, type Offset, offset } from '../../proto/model/offset.ts';
import { findGoodBatch } from './batch-search.ts';
import { finishSwaps } from './compaction/segment-swap.ts';
import { beginEpoch, type EpochHistory, epochAt } from './core/epoch-history.ts';
import type { ProducerSnapshot } from './core/producer-state.ts';
import { judgeTail, type TailVerdict } from './core/tail-verdict.ts';
import { defaultLogConfig } from './log-config.ts';
import type { LogContext } from './log-context.ts';
import { type FilesPlace, keepAside, trimFiles } from './log-files.ts';
import { type LogKey, logName } from './log-key.ts';
import { freshRecord, type LogPlace, type LogRecord } from './log-record.ts';
import { forgetCompaction, LogChanges, removableTo } from './log-store.ts';
import { replayProducers } from './producer-replay.ts';
import { fromOldest, reaches } from './recovery-start.ts';
import { scanSegment } from './segment-scan.ts';
import { listSegmentFiles, type SegmentFile, SegmentSet } from './segment-set.ts';

/** What recovery did to one log. */
export interface RecoveryReport {
  readonly key: LogKey;
  readonly verdict: TailVerdict;
  readonly logEndOffset: Offset;
  /** Bytes that were read and checked. */
  readonly bytesScanned: number;
  /** Bytes that were cut. */
  readonly bytesCut: number;
  /** Why the first bad bytes were bad. */
  readonly reason: string | undefined;
  /** Copies of the cut bytes, where they were damage. */
  readonly keptPaths: readonly string[];
}

/** The end as the scan found it. */
interface FoundEnd {
  readonly end: LogPlace;
  readonly epochs: EpochHistory;
  readonly bytesScanned: number;
  /** Files that were scanned to their end or to the bad bytes. */
  readonly scanned: readonly SegmentFile[];
  readonly reason: string | undefined;
}

/** What is known of a log before its files are looked at. */
export interface RecoveryInput {
  /** `damaged` if the record itself is unreadable. */
  readonly record: LogRecord | 'damaged';
  /** How far the journal says that the log had been stored; undefined if it says nothing. */
  readonly storedTo: Omit<LogPlace, 'offset'> | undefined;
  /** The journal itself is damaged: something stored may be missing without a trace. */
  readonly isSuspect: boolean;
}

/** Recovers one log. */
export async function recoverLog(
  context: LogContext,
  key: LogKey,
  input: RecoveryInput,
): Promise<RecoveryReport> {
  const stored = input.record;
  const folder = `${context.logsPath}/${logName(key)}`;
  const place: FilesPlace = { fs: context.fs, handles: context.handles, folder };
  await finishSwaps(place);
  const files = await listSegmentFiles(context.fs, folder);
  const known =
    stored === 'damaged' ? freshRecord(files[0]?.baseOffset ?? offset(0), 'ack', 0) : stored;

  if (known.isTruncating && context.rules.finishesCut) {
    // The decision was durable before the files were touched: all that is left is to carry it out.
    const removeTo = removableTo(context.store, { ...known, key });
    await trimFiles(place, { removeTo, end: known.recoveryPoint });
    const found = await scan(context, known, await listSegmentFiles(context.fs, folder));
    return finish(context, place, { key, known, found, verdict: 'whole', suspicion: undefined });
  }
  const isReachable = stored !== 'damaged' && reaches(files, known.recoveryPoint);
  const from = isReachable ? known : fromOldest(known, files);
  const found = await scan(context, from, files);
  const isKnownGood = isReachable && !input.isSuspect;
  const verdict = await judge(context, { input, found, files, isKnownGood });
  const suspicion = isReachable
    ? input.isSuspect
      ? 'the journal is damaged'
      : undefined
    : 'the files end below what the record says was stored';
  const kept = isReachable ? known : from;
  return finish(context, place, { key, known: kept, found, verdict, suspicion });
}

async function scan(
  context: LogContext,
  from: LogRecord,
  files: readonly SegmentFile[],
): Promise<FoundEnd> {
  let end = from.recoveryPoint;
  let epochs: EpochHistory = from.epochs.filter((entry) => entry.startOffset <= end.offset);
  let bytesScanned = 0;
  let reason: string | undefined;
  const scanned: SegmentFile[] = [];
  for (const file of files) {
    if (file.baseOffset < end.segmentBase) continue;
    const isFirst = file.baseOffset === end.segmentBase && scanned.length === 0;
    if (!isFirst && file.baseOffset !== end.offset) {
      reason ??= `the segment at ${file.baseOffset} does not follow offset ${end.offset}`;
      break;
    }
    if (!isFirst) end = { offset: end.offset, segmentBase: file.baseOffset, position: 0 };
    const range = {
      from: end.position,
      to: file.bytes,
      nextOffset: end.offset,
      epoch: end.offset === 0 ? -1 : (epochAt(epochs, offset(end.offset - 1)) ?? -1),
      checkCrc: context.rules.recoversFromPoint || file === files.at(-1),
    };
    scanned.push(file);
    const lease = await context.handles.lease(file.path, 'write');
    try {
      const result = await scanSegment(lease.handle, range, ({ header }) => {
        epochs = withBatch(epochs, header.leaderEpoch, header.baseOffset);
        return 'go-on';
      });
      bytesScanned += result.position - range.from;
      const reached = offset(result.nextOffset ?? end.offset);
      end = { offset: reached, segmentBase: file.baseOffset, position: result.position };
      reason = result.reason;
    } finally {
      lease.release();
    }
    if (reason !== undefined) break;
  }
  // Epochs that began where a leader was elected and wrote nothing are known from the record only.
  for (const entry of from.epochs) {
    const last = epochs.at(-1);
    if (entry.startOffset === end.offset && (last === undefined || entry.epoch > last.epoch)) {
      epochs = [...epochs, entry];
    }
  }
  return { end, epochs, bytesScanned, scanned, reason };
}

function withBatch(epochs: EpochHistory, epoch: number, baseOffset: Offset): EpochHistory {
  const last = epochs.at(-1);
  const isKnown = last !== undefined && (last.epoch === epoch || last.startOffset < baseOffset);
  if (isKnown && last.epoch >= epoch) return epochs;
  return beginEpoch(epochs, leaderEpoch(epoch), baseOffset);
}

async function judge(
  context: LogContext,
  facts: {
    readonly input: RecoveryInput;
    readonly found: FoundEnd;
    readonly files: readonly SegmentFile[];
    readonly isKnownGood: boolean;
  },
): Promise<TailVerdict> {
  const { input, found, files } = facts;
  if (!facts.isKnownGood || isShortOf(found.end, input.storedTo)) return 'damaged';
  let goodBatchBehind = false;
  let fileBytes = found.end.position;
  for (const file of files) {
    if (file.baseOffset < found.end.segmentBase) continue;
    const isLast = file.baseOffset === found.end.segmentBase;
    if (isLast) fileBytes = file.bytes;
    else fileBytes += file.bytes;
    const from = isLast ? found.end.position : 0;
    if (goodBatchBehind || !context.rules.tellsDamage) continue;
    goodBatchBehind = await hasGoodBatch(context, file, { from, above: found.end.offset });
  }
  const isWhole = fileBytes === found.end.position;
  return judgeTail({ isWhole, goodBatchBehind });
}

/** True if bytes that the journal had made durable are not good. */
function isShortOf(end: LogPlace, stored: RecoveryInput['storedTo']): boolean {
  if (stored === undefined || end.segmentBase > stored.segmentBase) return false;
  return end.segmentBase < stored.segmentBase || end.position < stored.position;
}

async function hasGoodBatch(
  context: LogContext,
  file: SegmentFile,
  search: { readonly from: number; readonly above: number },
): Promise<boolean> {
  if (file.bytes <= search.from) return false;
  const lease = await context.handles.lease(file.path, 'write');
  try {
    const range = { from: search.from, to: file.bytes, offsetAbove: search.above };
    return (await findGoodBatch(lease.handle, range)) !== undefined;
  } finally {
    lease.release();
  }
}

/** Keeps what is damaged, cuts, flushes, and commits what the log is now. */
async function finish(
  context: LogContext,
  place: FilesPlace,
  outcome: {
    readonly key: LogKey;
    readonly known: LogRecord;
    readonly found: FoundEnd;
    readonly verdict: TailVerdict;
    readonly suspicion: string | undefined;
  },
): Promise<RecoveryReport> {
  const { key, known, found, verdict } = outcome;
  const kept = { keptPath: context.keptPath, name: `${logName(key)}-${context.clock.wall()}` };
  const keptPaths = verdict === 'damaged' ? await keepAside(place, found.end, kept) : [];
  const damage =
    verdict === 'damaged'
      ? { at: found.end.offset, logEndBefore: known.recoveryPoint.offset }
      : known.damage;
  if (verdict === 'damaged' && context.rules.marksDamageFirst) {
    // What is cut can be found bad no more: a start after a crash in between has to know of it.
    const marked = new LogChanges().record(key, { ...known, damage });
    await context.store.commit(marked.markActive(key));
  }
  const before = await totalBytes(context, place.folder);
  for (const file of found.scanned) {
    if (context.rules.flushesRecovered) await syncFile(context, file);
  }
  const logStartOffset =
    found.end.offset < known.logStartOffset ? found.end.offset : known.logStartOffset;
  const highWatermark =
    found.end.offset < known.highWatermark ? found.end.offset : known.highWatermark;
  const removeTo = removableTo(context.store, { key, logStartOffset, highWatermark });
  await trimFiles(place, { removeTo, end: found.end });
  if (before.count > 0) {
    await context.fs.syncDirectory(place.folder);
    await context.fs.syncDirectory(context.logsPath);
  }
  const after = await totalBytes(context, place.folder);

  const record: LogRecord = {
    ...known,
    logStartOffset,
    highWatermark,
    recoveryPoint: found.end,
    isTruncating: false,
    journalFrom: context.journal.nextSequence,
    bytes: after.bytes,
    epochs: found.epochs,
    damage,
  };
  const snapshot = await producersAt(context, { key, folder: place.folder }, found.end);
  const changes = new LogChanges().cutProducers(key, found.end.offset);
  forgetCompaction(changes, context.store, { key, end: found.end.offset });
  changes.producers(key, snapshot, 0).record(key, record).markIdle(key);
  await context.store.commit(changes);
  return {
    key,
    verdict,
    logEndOffset: found.end.offset,
    bytesScanned: found.bytesScanned,
    bytesCut: before.bytes - after.bytes,
    reason: found.reason ?? outcome.suspicion,
    keptPaths,
  };
}

/** The producers of the segments that are left. */
async function producersAt(
  context: LogContext,
  log: { readonly key: LogKey; readonly folder: string },
  end: LogPlace,
): Promise<ProducerSnapshot> {
  const { fs, handles, indexes } = context;
  const segments = await SegmentSet.load({ fs, handles, indexes, ...log }, end);
  const request = { key: log.key, segments, config: defaultLogConfig, end: end.offset };
  return (await replayProducers(context, request)).snapshot(end.offset);
}

async function totalBytes(
  context: LogContext,
  folder: string,
): Promise<{ readonly bytes: number; readonly count: number }> {
  const files = await listSegmentFiles(context.fs, folder);
  return { bytes: files.reduce((sum, file) => sum + file.bytes, 0), count: files.length };
}

/** The bytes may be in the page cache only: before they are promised again they are flushed. */
async function syncFile(context: LogContext, file: SegmentFile): Promise<void> {
  const lease = await context.handles.lease(file.path, 'write');
  try {
    await lease.handle.sync();
  } finally {
    lease.release();
  }
}
