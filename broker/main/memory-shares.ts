/**
 * How the ceiling of a node's memory is divided. What is not named here goes to the process itself, to
 * queues of connections, which have bounds of their own, and to the heap.
 */

const MiB = 1024 * 1024;

export interface MemoryShares {
  /**
   * Recent batches of all logs, for readers at the tail. As much as one producer has under way, so that
   * followers find everything here, and little more: what stays longer is costlier to collect.
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
    tailCacheBytes: Math.floor(memoryBytes / 16),
    unstoredBytesMax: Math.floor(memoryBytes / 4),
    unstoredBytesPerLogMax: Math.max(16 * MiB, Math.min(32 * MiB, Math.floor(memoryBytes / 8))),
    garbageBytes: Math.floor(memoryBytes / 4),
  };
}
