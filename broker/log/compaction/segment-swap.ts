/**
 * Exchanges sealed segments of a log for one file that holds the same offsets.
 *
 * One segment for one: a rename over it is the switch. Several for one:
 * 1. the new file is flushed, gets its `.swap` name, and the folder is flushed: from here on it counts;
 * 2. the segments behind the first go, and the folder is flushed;
 * 3. the new file is renamed over the first, and the folder is flushed.
 * A crash before 1 is done leaves the old files, one behind it is finished by `finishSwaps`: at no
 * time do some of the old files count beside the new one.
 */
import type { FileSystem } from '../../../proto/ports/file-system.ts';
import type { HandlePool } from '../handle-pool.ts';
import { parseSegmentFileName, segmentFileName } from '../segment.ts';
import { parseSwapFileName, type SwapFile, swapFileName } from './swap-names.ts';

/** Where the files lie. */
export interface SwapPlace {
  readonly fs: FileSystem;
  readonly handles: HandlePool;
  readonly folder: string;
}

/** Puts a flushed `.cleaned` file in the place of the segments between its offsets. */
export async function swapIn(place: SwapPlace, file: SwapFile, replaced: number): Promise<void> {
  const { fs, folder } = place;
  const cleaned = `${folder}/${swapFileName(file)}`;
  if (replaced === 1) return moveIn(place, cleaned, file);
  const swap: SwapFile = { ...file, kind: 'swap' };
  await fs.rename(cleaned, `${folder}/${swapFileName(swap)}`);
  await fs.syncDirectory(folder);
  await finishSwap(place, swap);
}

/** Finishes or removes what a crash left of a pass. Nothing of the log is open yet. */
export async function finishSwaps(place: SwapPlace): Promise<void> {
  const { fs, folder } = place;
  if ((await fs.stat(folder)) === undefined) return;
  for (const name of await fs.list(folder)) {
    const file = parseSwapFileName(name);
    if (file?.kind === 'swap') await finishSwap(place, file);
    else if (file?.kind === 'cleaned') await fs.remove(`${folder}/${name}`);
  }
}

async function finishSwap(place: SwapPlace, swap: SwapFile): Promise<void> {
  const { fs, handles, folder } = place;
  for (const name of await fs.list(folder)) {
    const base = parseSegmentFileName(name);
    if (base === undefined || base <= swap.baseOffset || base >= swap.endOffset) continue;
    await handles.forget(`${folder}/${name}`);
    await fs.remove(`${folder}/${name}`);
  }
  await fs.syncDirectory(folder);
  await moveIn(place, `${folder}/${swapFileName(swap)}`, swap);
}

async function moveIn(place: SwapPlace, from: string, file: SwapFile): Promise<void> {
  const { fs, handles, folder } = place;
  const path = `${folder}/${segmentFileName(file.baseOffset)}`;
  // Whoever has the old file open reads it to its end; the next one opens what is there then.
  await handles.forget(path);
  await fs.rename(from, path);
  await handles.forget(path);
  await handles.forget(from);
  await fs.syncDirectory(folder);
}
