/** What is read back, and what is written at half load: one partition of 1 KB records in the page cache. */
export const duelLoad = { partitions: 1, flush: 'os', valueBytes: 1024 } as const;
