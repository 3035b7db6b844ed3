/**
 * What a seed decides before anything runs: the size of the quorum, how slow things are, and which
 * faults there are at all. About a quarter of the kinds is left out of each run, since some bugs only
 * show where nothing else disturbs (swarm testing).
 */
import type { SeededRandom } from '../../proto/ports/memory/seeded-random.ts';

export const faultKinds = [
  'kill',
  'power',
  'pause',
  'cut-one-way',
  'cut-both',
  'isolate',
  'lose-connection',
  'transfer',
  'change-voters',
  'damage',
] as const;
export type FaultKind = (typeof faultKinds)[number];

export interface Swarm {
  readonly founders: number;
  /** Members that may be added later. */
  readonly spares: number;
  readonly faults: readonly FaultKind[];
  /** Mean time between two faults. */
  readonly faultEveryMs: number;
  readonly proposeEveryMs: number;
  readonly flushMs: number;
  readonly latencyMs: number;
  readonly jitterMs: number;
  readonly snapshotEveryBytes: number;
  readonly trailingBytes: number;
  readonly appendBytesMax: number;
}

export function drawSwarm(random: SeededRandom): Swarm {
  const pick = <Value>(...values: readonly Value[]): Value => {
    const value = values[random.below(values.length)];
    if (value === undefined) throw new Error('there is always something to pick');
    return value;
  };
  return {
    founders: pick(1, 3, 3, 3, 3, 5, 5),
    spares: pick(0, 1, 2),
    faults: faultKinds.filter(() => random.below(4) > 0),
    faultEveryMs: pick(60, 120, 250),
    proposeEveryMs: pick(10, 25, 60),
    flushMs: pick(0, 1, 1, 8),
    latencyMs: pick(0.2, 1, 5),
    jitterMs: pick(0, 1, 10),
    snapshotEveryBytes: pick(600, 2_500, 1_000_000),
    trailingBytes: pick(0, 200, 2_000),
    appendBytesMax: pick(64, 400, 100_000),
  };
}
