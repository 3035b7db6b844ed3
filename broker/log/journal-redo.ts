/**
 * Redoes the flush journal after a crash, before anything else reads the segments: every entry that
 * still belongs to its log is written to its place again. Done twice it does no harm.
 *
 * Redone are the entries of logs that are marked active, above the log's fence and above its recovery
 * point: all others are in their segments, or their log was cut, deleted or made anew since.
 */
import type { FileHandle, FileSystem } from '../../proto/ports/file-system.ts';
import { writeAll } from '../../proto/ports/file-system.ts';
import type { LogRules } from './core/rules.ts';
import type { HandlePool } from './handle-pool.ts';
import {
  type BlockHead,
  blockAlignment,
  blockHeadBytes,
  decodeBlock,
  type JournalEntry,
  paddedBytes,
  readBlockHead,
} from './journal-format.ts';
import { type LogKey, logName } from './log-key.ts';
import type { LogPlace, LogRecord } from './log-record.ts';
import { segmentFileName } from './segment.ts';
import { readFully } from './segment-scan.ts';

/** What the redo rests on. */
export interface RedoPlace {
  readonly fs: FileSystem;
  readonly handles: HandlePool;
  readonly journalPath: string;
  readonly logsPath: string;
  readonly rules: LogRules;
  /** Blocks below it are not needed: their bytes are in the segments. */
  readonly floor: number;
  /** The record of a log that is marked active; undefined for all others. */
  recordOf(key: LogKey): LogRecord | undefined;
}

/** What the journal held. */
export interface RedoResult {
  /** The sequence that the next block gets. */
  readonly nextSequence: number;
  /** By log name: how far its bytes are known to have been stored. */
  readonly storedTo: ReadonlyMap<string, Omit<LogPlace, 'offset'>>;
  /** A block that was needed and had been durable is unreadable: every active log is suspect. */
  readonly isDamaged: boolean;
}

/** A run of good blocks from the start of one file. */
interface Run {
  readonly file: FileHandle;
  readonly first: number;
  readonly last: number;
  readonly end: number;
}

/** Redoes all files of the ring in the order of their sequences. */
export async function redoJournal(place: RedoPlace): Promise<RedoResult> {
  const files: FileHandle[] = [];
  const storedTo = new Map<string, Omit<LogPlace, 'offset'>>();
  try {
    const runs: Run[] = [];
    /** Behind these places nothing should be that is younger than the runs. */
    const rests: Rest[] = [];
    for (const name of await place.fs.list(place.journalPath)) {
      if (!name.endsWith('.journal')) continue;
      const file = await place.fs.open(`${place.journalPath}/${name}`, 'read');
      files.push(file);
      const run = await readRun(file);
      if (run !== undefined && run.last >= place.floor) runs.push(run);
      else rests.push({ file, from: run?.end ?? 0 });
    }
    runs.sort((a, b) => a.first - b.first);
    const newest = runs.at(-1);
    if (newest !== undefined) rests.push({ file: newest.file, from: newest.end });
    const last = newest?.last ?? place.floor - 1;

    const isDamaged = hasGap(runs, place.floor) || (await haveLaterBlock(rests, last));
    for (const run of runs) {
      await eachBlock(run.file, run.first, async (head, block) => {
        const entries = decodeBlock(block);
        if (entries === undefined) return false;
        for (const entry of entries) await redoEntry(place, storedTo, { entry, head });
        return true;
      });
    }
    const skipped = isDamaged ? unreadableMax : Number(place.rules.skipsTornSequence);
    return { nextSequence: last + 1 + skipped, storedTo, isDamaged };
  } finally {
    for (const file of files) await file.close();
  }
}

/**
 * Sequences that may have been given to blocks which are not found here. Their numbers are not used
 * again: fences of logs may name them, and what is stale in the ring must stay below the floor. The
 * last block before a crash may be torn, and then a fence names the one behind it.
 */
const unreadableMax = 2 ** 32;

/** What lies in a file behind its good blocks. */
interface Rest {
  readonly file: FileHandle;
  readonly from: number;
}

/** A needed block is missing below one that is there. */
function hasGap(runs: readonly Run[], floor: number): boolean {
  let expected = floor;
  for (const run of runs) {
    if (run.first > expected) return true;
    expected = run.last + 1;
  }
  return false;
}

async function redoEntry(
  place: RedoPlace,
  storedTo: Map<string, Omit<LogPlace, 'offset'>>,
  redo: { readonly entry: JournalEntry; readonly head: BlockHead },
): Promise<void> {
  const { entry, head } = redo;
  const record = place.recordOf(entry.key);
  if (record === undefined) return;
  if (head.sequence < record.journalFrom && place.rules.keepsFences) return;
  const end = entry.position + entry.bytes;
  const point = record.recoveryPoint;
  if (entry.segmentBase < point.segmentBase) return;
  if (entry.segmentBase === point.segmentBase && end <= point.position) return;

  const name = logName(entry.key);
  const folder = `${place.logsPath}/${name}`;
  await place.fs.makeDirectory(folder);
  const lease = await place.handles.lease(
    `${folder}/${segmentFileName(entry.segmentBase)}`,
    'create',
  );
  try {
    await writeAll(lease.handle, entry.buffers, entry.position);
  } finally {
    lease.release();
  }
  storedTo.set(name, { segmentBase: entry.segmentBase, position: end });
}

async function readRun(file: FileHandle): Promise<Run | undefined> {
  let first: BlockHead | undefined;
  let last: BlockHead | undefined;
  const end = await eachBlock(file, undefined, (head, block) => {
    if (decodeBlock(block) === undefined) return Promise.resolve(false);
    first ??= head;
    last = head;
    return Promise.resolve(true);
  });
  if (first === undefined || last === undefined) return undefined;
  return { file, first: first.sequence, last: last.sequence, end };
}

/** Visits blocks of consecutive sequences while they are good; returns where the next would begin. */
async function eachBlock(
  file: FileHandle,
  firstSequence: number | undefined,
  visit: (head: BlockHead, block: Buffer) => Promise<boolean>,
): Promise<number> {
  let expected = firstSequence;
  const fileBytes = await file.size();
  for (let position = 0; ; ) {
    const head = await readHeadAt(file, position);
    if (head === undefined || (expected !== undefined && head.sequence !== expected))
      return position;
    // What a damaged head says of its length must not decide how much memory is taken.
    if (position + head.bytes > fileBytes) return position;
    const block = Buffer.allocUnsafeSlow(head.bytes);
    if ((await readFully(file, block, position)) < head.bytes) return position;
    if (!(await visit(head, block))) return position;
    expected = head.sequence + 1;
    position += paddedBytes(head.bytes);
  }
}

async function readHeadAt(file: FileHandle, position: number): Promise<BlockHead | undefined> {
  const bytes = Buffer.alloc(blockHeadBytes);
  const count = await readFully(file, bytes, position);
  return count < blockHeadBytes ? undefined : readBlockHead(bytes);
}

const pieceBytes = 1024 * 1024;

/** Blocks are written one at a time: a later one that is good proves that the one behind `last` was durable. */
async function haveLaterBlock(rests: readonly Rest[], last: number): Promise<boolean> {
  for (const rest of rests) if (await hasLaterBlock(rest, last)) return true;
  return false;
}

async function hasLaterBlock({ file, from }: Rest, last: number): Promise<boolean> {
  const fileBytes = await file.size();
  const piece = Buffer.allocUnsafeSlow(pieceBytes);
  for (let start = from; ; start += pieceBytes) {
    const count = await readFully(file, piece, start);
    for (let at = 0; at < count; at += blockAlignment) {
      const head = readBlockHead(piece.subarray(at, count));
      if (head === undefined || head.sequence <= last + 1) continue;
      if (start + at + head.bytes > fileBytes) continue;
      const block = Buffer.allocUnsafeSlow(head.bytes);
      if ((await readFully(file, block, start + at)) < head.bytes) continue;
      if (decodeBlock(block) !== undefined) return true;
    }
    if (count < pieceBytes) return false;
  }
}
