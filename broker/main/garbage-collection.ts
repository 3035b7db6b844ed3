/**
 * When V8 collects. It counts the bytes of received batches against a limit made for ordinary heaps: a
 * broker with a heap of 20 MB would mark all of it after every 8 MB of batches that passed through, and
 * spend more time on that than on the batches. So the limit is kept a fixed amount above what lives.
 *
 * Best of all is a batch that is dead before it is old. V8 collects its young heap after 32 MiB of
 * buffers, whatever its size, and takes for old what outlives two collections: so a batch is not to live
 * for as long as that (`memory-shares.ts`), and there are to be no collections in between.
 *
 * Invariant: the garbage that may pile up is bounded in bytes; a heap that outgrows this bound is left
 * to V8's own judgement.
 */
import v8 from 'node:v8';

const adjustMs = 5_000;

/** Keeps the limit about so many bytes above the live heap, for as long as the process runs. Called once. */
export function allowGarbage(bytes: number): void {
  // A young heap of a few MB is copied sooner than helper threads agree on who copies what.
  v8.setFlagsFromString('--no-parallel-scavenge');
  // Swept later, dead buffers still count when the next is made, which collects again at once: all that
  // lives is then taken for old.
  v8.setFlagsFromString('--no-concurrent-array-buffer-sweeping');
  // Grown in one step: in a small young heap the messages around the batches cause collections.
  v8.setFlagsFromString('--semi-space-growth-factor=16');
  const adjust = (): void =>
    v8.setFlagsFromString(`--heap-growing-percent=${growingPercent(bytes)}`);
  adjust();
  setInterval(adjust, adjustMs).unref();
}

/** 0 leaves the choice to V8. */
function growingPercent(bytes: number): number {
  const { used_heap_size: live } = v8.getHeapStatistics();
  return bytes < live ? 0 : Math.round((bytes / live) * 100);
}
