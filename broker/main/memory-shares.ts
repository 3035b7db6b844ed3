/**
 * How the ceiling of a node's memory is divided. What is not named here goes to the process itself, to
 * queues of connections, which have bounds of their own, and to the heap.
 */

const MiB = 1024 * 1024;

export interface MemoryShares {
  /**
   * Recent batches of all logs, for readers at the tail: what a producer has under way at one leader, so
   * that followers find everything here, and no more. V8 collects its young heap when 32 MiB of buffers
   * are new, and what it meets there twice grows old. A batch that passes through less than the rest of
   * that is gone before; from twice this size on, all of the heap was marked for every 64 MiB of batches,
   * which stopped a node for 20 ms and more, once a second under load.
   */
  readonly tailCacheBytes: number;
  /** Accepted and not yet stored, all logs together; beyond it OVERLOADED. */
  readonly unstoredBytesMax: number;
  /** The same of one log. */
  readonly unstoredBytesPerLogMax: number;
  /** Garbage that may pile up before it is collected. */
  readonly garbageBytes: number;
}

/** The shares of so many bytes. */
export function sharesOf(memoryBytes: number): MemoryShares {
  return {
    tailCacheBytes: Math.floor(memoryBytes / 32),
    unstoredBytesMax: Math.floor(memoryBytes / 4),
    unstoredBytesPerLogMax: Math.max(16 * MiB, Math.min(32 * MiB, Math.floor(memoryBytes / 8))),
    garbageBytes: Math.floor(memoryBytes / 4),
  };
}
