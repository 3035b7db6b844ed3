/** How patient a quorum is, and its bounds, from the one setting that operators know. */
import type { RaftTiming } from './core/state.ts';

const KiB = 1024;
const MiB = 1024 * KiB;

/** `electionMs` is the setting `election-ms`; a leader is heard ten times in it. */
export function raftTiming(electionMs: number): RaftTiming {
  return {
    electionMs,
    heartbeatMs: Math.max(1, Math.floor(electionMs / 10)),
    appendBytesMax: 512 * KiB,
    inFlightBytesMax: 2 * MiB,
    chunkBytes: 1 * MiB,
    snapshotBytesMax: 256 * MiB,
    trailingBytes: 4 * MiB,
  };
}
