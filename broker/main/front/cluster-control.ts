/** Somebody who runs a cluster and can disturb its nodes: what the buttons of the dashboard act on. */
import type { ControlledNode, NodeAction } from '../../../proto/dashboard/messages.ts';

export interface ClusterControl {
  /** What was done to each node, and what can be done next. */
  nodes(): readonly ControlledNode[];
  /** Where a node's own dashboard listens. */
  http(id: number): string;
  /** Resolves once it is done; throws INVALID_REQUEST for what is not offered. */
  act(id: number, action: NodeAction): Promise<void>;
}

export type Condition = ControlledNode['condition'];

/** What makes sense next; `network`: whether nodes can be isolated and slowed. */
export function offersOf(condition: Condition, network: boolean): readonly NodeAction[] {
  const cuts: readonly NodeAction[] = network ? ['isolate', 'slow'] : [];
  switch (condition) {
    case 'running':
      return ['kill', 'pause', ...cuts, 'restart'];
    case 'killed':
      return ['restart'];
    case 'paused':
      return ['resume', 'kill'];
    case 'isolated':
    case 'slowed':
      return ['heal', 'kill', 'restart'];
    case 'starting':
      return [];
  }
}
