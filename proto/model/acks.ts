/** How much must have happened before a write is acknowledged; chosen by each request. */
export const acksLevels = ['none', 'leader', 'semi-sync', 'all'] as const;

/**
 * `none`: sent. `leader`: stored by the leader. `semi-sync`: stored by k members of the committed
 * ISR, the leader among them. `all`: stored by every member of the maximal ISR.
 * What each survives is stated in docs/guarantees.md.
 */
export type Acks = (typeof acksLevels)[number];

/** When a replica counts bytes as stored: after fdatasync (`ack`) or in the page cache (`os`). */
export type FlushMode = 'ack' | 'os';
