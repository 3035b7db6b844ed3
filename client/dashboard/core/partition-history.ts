/**
 * What happened to the partitions in the last minutes, as this page saw it: who led and who was in sync
 * in which stretch of time, and for one partition how far everybody was behind.
 */
import type { ClusterState, PartitionView } from './cluster-state.ts';

/** From a moment on the partition was so. */
export interface Stretch {
  readonly fromMs: number;
  readonly leader: number | null;
  readonly isr: readonly number[];
}

/** How far behind the log end everybody was. */
export interface GapSample {
  readonly wallMs: number;
  readonly watermarkBehind: number;
  /** Stored end behind the log end, by node. */
  readonly storedBehind: ReadonlyMap<number, number>;
}

export interface PartitionHistory {
  readonly stretches: Map<string, Stretch[]>;
  readonly gaps: Map<string, GapSample[]>;
}

export const historyMs = 120_000;
const stretchesMax = 100;
/** Beyond so many partitions only the one that is looked at is sampled. */
const sampledMax = 64;

export function createHistory(): PartitionHistory {
  return { stretches: new Map(), gaps: new Map() };
}

/** Takes the present state in; `lookedAt` is sampled whatever the number of partitions. */
export function remember(
  history: PartitionHistory,
  state: ClusterState,
  lookedAt: string | undefined,
): void {
  for (const view of state.ordered) {
    rememberStretch(history, view, state.wallMs);
    if (state.ordered.length <= sampledMax || view.key === lookedAt)
      rememberGap(history, view, state.wallMs);
  }
}

function rememberStretch(
  { stretches }: PartitionHistory,
  view: PartitionView,
  wallMs: number,
): void {
  const { leader, isr } = view.row;
  const known = stretches.get(view.key);
  const last = known?.at(-1);
  if (last !== undefined && last.leader === leader && sameMembers(last.isr, isr)) return;
  if (known === undefined) stretches.set(view.key, [{ fromMs: wallMs, leader, isr }]);
  else {
    known.push({ fromMs: wallMs, leader, isr });
    known.splice(0, Math.max(0, known.length - stretchesMax));
  }
}

function rememberGap({ gaps }: PartitionHistory, view: PartitionView, wallMs: number): void {
  let end = 0;
  for (const replica of view.replicas.values()) end = Math.max(end, replica.logEnd);
  const leading = view.row.leader === null ? undefined : view.replicas.get(view.row.leader);
  let watermark = leading?.watermark ?? 0;
  if (leading === undefined)
    for (const replica of view.replicas.values())
      watermark = Math.max(watermark, replica.watermark);
  const storedBehind = new Map(
    Array.from(view.replicas, ([node, replica]) => [node, end - replica.storedEnd] as const),
  );
  const samples = gaps.get(view.key) ?? [];
  gaps.set(view.key, samples);
  samples.push({ wallMs, watermarkBehind: end - watermark, storedBehind });
  const tooOld = samples.findIndex((sample) => sample.wallMs > wallMs - historyMs);
  if (tooOld > 0) samples.splice(0, tooOld);
}

function sameMembers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((node) => b.includes(node));
}
