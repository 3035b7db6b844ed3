/**
 * Writes what stays of a few neighbouring segments into one `.cleaned` file beside them. Where all of
 * a single segment would stay as it is, nothing is written.
 */
import type { Offset } from '../../../proto/model/offset.ts';
import { type FileHandle, FileSystemError, writeAll } from '../../../proto/ports/file-system.ts';
import { SparseIndex } from '../core/sparse-index.ts';
import type { IoPace } from '../io-pace.ts';
import type { LogContext } from '../log-context.ts';
import {
  type WalkEnd,
  type WalkedSegment,
  type WalkOptions,
  walkSegment,
} from '../segment-walk.ts';
import { BatchFilter, type CompactionPass, type EmittedBatch } from './batch-filter.ts';
import { type SwapFile, swapFileName } from './swap-names.ts';

/** Segments that become one. */
export interface SegmentGroup {
  readonly folder: string;
  readonly segments: readonly (WalkedSegment & {
    readonly baseOffset: Offset;
    readonly endOffset: Offset;
  })[];
  readonly pass: CompactionPass;
  readonly pace: IoPace;
}

/** What became of a group. */
export type GroupResult =
  | { readonly kind: 'same'; readonly nextHorizonMs: number }
  | {
      readonly kind: 'written';
      readonly file: SwapFile;
      readonly bytes: number;
      readonly index: SparseIndex;
      readonly nextHorizonMs: number;
      readonly dropped: number;
    }
  | { readonly kind: 'stopped' | 'no-room' }
  | { readonly kind: 'damaged'; readonly path: string; readonly reason: string };

/** Reads the group, and writes it anew if that changes anything. */
export async function rewriteGroup(context: LogContext, group: SegmentGroup): Promise<GroupResult> {
  const options = { handles: context.handles, pace: group.pace, wantsRecords: true };
  if (group.segments.length === 1) {
    const judge = new BatchFilter(group.pass, () => undefined);
    const end = await filterAll(group, options, judge, () => judge.hasChanged);
    if (end !== undefined) return end;
    if (!judge.hasChanged) return { kind: 'same', nextHorizonMs: judge.nextHorizonMs };
  }
  const bytes = group.segments.reduce((sum, segment) => sum + segment.bytes, 0);
  if (!context.space.hasRoom(bytes)) return { kind: 'no-room' };
  const [first, last] = [group.segments[0], group.segments.at(-1)];
  if (first === undefined || last === undefined) return { kind: 'same', nextHorizonMs: -1 };
  const { baseOffset } = first;
  const file: SwapFile = { kind: 'cleaned', baseOffset, endOffset: last.endOffset };
  const path = `${group.folder}/${swapFileName(file)}`;
  try {
    return await write(context, group, { options, file, path });
  } catch (caught) {
    if (!(caught instanceof FileSystemError && caught.isFull)) throw caught;
    await context.fs.remove(path).catch(() => undefined);
    return { kind: 'no-room' };
  }
}

async function write(
  context: LogContext,
  group: SegmentGroup,
  target: { readonly options: WalkOptions; readonly file: SwapFile; readonly path: string },
): Promise<GroupResult> {
  const handle = await context.fs.open(target.path, 'create');
  try {
    await handle.truncate(0);
    const output = new BatchOutput(handle);
    const filter = new BatchFilter(group.pass, (batch) => output.add(batch));
    const options = { ...target.options, afterStep: () => output.flush() };
    const end = await filterAll(group, options, filter);
    if (end !== undefined) {
      await context.fs.remove(target.path);
      return end;
    }
    filter.finish();
    await output.flush();
    await context.watch.watch(handle.sync());
    const { nextHorizonMs, dropped } = filter;
    const { bytes, index } = output;
    return { kind: 'written', file: target.file, bytes, index, nextHorizonMs, dropped };
  } finally {
    await handle.close();
  }
}

/** Undefined when all was filtered, or enough. */
async function filterAll(
  group: SegmentGroup,
  options: WalkOptions,
  filter: BatchFilter,
  isEnough: () => boolean = () => false,
): Promise<Exclude<GroupResult, { kind: 'same' | 'written' }> | undefined> {
  for (const segment of group.segments) {
    const end: WalkEnd = await walkSegment(segment, options, ({ header, piece }) => {
      filter.take({ header, piece });
      return isEnough() ? 'stop' : 'go-on';
    });
    if (isEnough()) return undefined;
    if (end.kind === 'stopped') return { kind: 'stopped' };
    if (end.kind === 'bad' || end.nextOffset !== segment.endOffset) {
      return { kind: 'damaged', path: segment.path, reason: end.reason ?? 'it ends early' };
    }
  }
  if (filter.hasChanged) return undefined;
  filter.finish();
  return undefined;
}

/** Collects batches and writes them behind each other. */
class BatchOutput {
  readonly index = new SparseIndex();
  /** Of the file, what waits included. */
  bytes = 0;
  readonly #handle: FileHandle;
  #waiting: Buffer[] = [];
  #written = 0;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  add({ bytes, baseOffset, maxTimestamp }: EmittedBatch): void {
    this.index.add({ baseOffset, position: this.bytes, bytes: bytes.length, maxTimestamp });
    this.bytes += bytes.length;
    // The bytes may be a view of what is read into again.
    this.#waiting.push(Buffer.from(bytes));
  }

  async flush(): Promise<void> {
    if (this.#waiting.length === 0) return;
    await writeAll(this.#handle, this.#waiting, this.#written);
    this.#written = this.bytes;
    this.#waiting = [];
  }
}
