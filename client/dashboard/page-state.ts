/** What the parts of the page share: the cluster as it is known, and what was measured from it. */
import type { ControlledNode } from '../../proto/dashboard/messages.ts';
import { type ClusterState, emptyState } from './core/cluster-state.ts';
import { createHistory, type PartitionHistory } from './core/partition-history.ts';
import { createRateMeter, type RateMeter } from './core/rates.ts';

export interface PageState {
  readonly cluster: ClusterState;
  readonly rates: RateMeter;
  readonly history: PartitionHistory;
  /** Widths of the pictures drawn last, by partition. */
  readonly scales: Map<string, number>;
  /** Nodes that can be disturbed from here; none where nobody offers it. */
  controls: ReadonlyMap<number, ControlledNode>;
}

export function createPageState(): PageState {
  return {
    cluster: emptyState(),
    rates: createRateMeter(),
    history: createHistory(),
    scales: new Map(),
    controls: new Map(),
  };
}

/** One view of the page: made when it is opened, brought up to date with each message. */
export interface View {
  readonly element: HTMLElement;
  readonly title: string;
  update(): void;
  /** The partition that it looks at, if it looks at one. */
  readonly lookedAt?: () => string | undefined;
  /** Colours have changed. */
  repaint?(): void;
  close?(): void;
}
