/**
 * Changes to the files of a log as a whole. Each is idempotent: what a crash left half done is done
 * again from the record in the `meta` store, which says where the log begins and ends.
 */
import type { Offset } from '../../proto/model/offset.ts';
import { type FileSystem, writeAll } from '../../proto/ports/file-system.ts';
import type { HandlePool } from './handle-pool.ts';
import type { LogPlace } from './log-record.ts';
import { readFully } from './segment-scan.ts';
import { listSegmentFiles, type SegmentFile } from './segment-set.ts';

/** Which files of a log stay. */
export interface LogBounds {
  /** Segments wholly below it go. */
  readonly removeTo: Offset;
  readonly end: LogPlace;
}

/** What these functions need of their directory. */
export interface FilesPlace {
  readonly fs: FileSystem;
  readonly handles: HandlePool;
  readonly folder: string;
}

/**
 * Makes the files agree with the bounds: what lies behind the end goes, newest first, so that a
 * crash on the way leaves an unbroken log; then segments wholly below the start. Durable once it
 * resolves.
 */
export async function trimFiles(place: FilesPlace, bounds: LogBounds): Promise<void> {
  const { fs, handles, folder } = place;
  const files = await listSegmentFiles(fs, folder);
  let hasRemoved = false;
  const remove = async (file: SegmentFile): Promise<void> => {
    await handles.forget(file.path);
    await fs.remove(file.path);
    hasRemoved = true;
  };
  for (const file of files.toReversed()) {
    if (file.baseOffset > bounds.end.segmentBase) await remove(file);
    else if (file.baseOffset === bounds.end.segmentBase && file.bytes > bounds.end.position) {
      await cutFile(handles, file.path, bounds.end.position);
    }
  }
  for (const [at, file] of files.entries()) {
    const endOffset = files[at + 1]?.baseOffset ?? bounds.end.offset;
    const isBelowEnd = file.baseOffset < bounds.end.segmentBase;
    if (isBelowEnd && Math.min(endOffset, bounds.end.segmentBase) <= bounds.removeTo) {
      await remove(file);
    }
  }
  if (hasRemoved) await fs.syncDirectory(folder);
}

/** Cuts a file durably. */
async function cutFile(handles: HandlePool, path: string, bytes: number): Promise<void> {
  const lease = await handles.lease(path, 'write');
  try {
    await lease.handle.truncate(bytes);
    await lease.handle.sync();
  } finally {
    lease.release();
  }
}

/** Where bytes that are about to be cut are kept, and under which name. */
export interface KeptPlace {
  readonly keptPath: string;
  readonly name: string;
}

/**
 * Copies everything behind a place into files of its own, for repair or for an operator. Durable
 * once it resolves; the paths of the copies are returned.
 */
export async function keepAside(
  place: FilesPlace,
  end: LogPlace,
  kept: KeptPlace,
): Promise<string[]> {
  const { fs, handles, folder } = place;
  await fs.makeDirectory(kept.keptPath);
  const paths: string[] = [];
  for (const file of await listSegmentFiles(fs, folder)) {
    if (file.baseOffset < end.segmentBase) continue;
    const from = file.baseOffset === end.segmentBase ? end.position : 0;
    if (file.bytes <= from) continue;
    const path = `${kept.keptPath}/${kept.name}-${file.baseOffset}-${from}.bytes`;
    await copyAside(fs, handles, { source: file, from, path });
    paths.push(path);
  }
  await fs.syncDirectory(kept.keptPath);
  return paths;
}

const copyBytes = 1024 * 1024;

/** Copies a file from a position on, durably. */
export async function copyAside(
  fs: FileSystem,
  handles: HandlePool,
  copy: { readonly source: SegmentFile; readonly from: number; readonly path: string },
): Promise<void> {
  const lease = await handles.lease(copy.source.path, 'write');
  const target = await fs.open(copy.path, 'create');
  try {
    const piece = Buffer.allocUnsafeSlow(copyBytes);
    for (let at = copy.from; ; ) {
      const count = await readFully(lease.handle, piece, at);
      if (count === 0) break;
      await writeAll(target, [piece.subarray(0, count)], at - copy.from);
      at += count;
    }
    await target.sync();
  } finally {
    lease.release();
    await target.close();
  }
}
