/**
 * Why a leader proposes another in-sync set, for the flight recorder: in words without numbers, so that
 * what happens to many partitions for one reason is told as one, and the numbers beside them.
 */
import type { NodeId } from '../../../proto/model/ids.ts';
import type { Offset } from '../../../proto/model/offset.ts';
import type { IsrProposal } from './effects.ts';
import { lagMs } from './lag.ts';
import type { PartitionState } from './state.ts';

export interface ProposalReason {
  readonly reason: string;
  readonly evidence: ReadonlyMap<string, string>;
  /** How far those that are to be removed had stored, as far as it is known. */
  readonly removedAt: ReadonlyMap<NodeId, Offset>;
}

/** Judged when the proposal is made; empty where the members stay the same. */
export function proposalReason(state: PartitionState, proposal: IsrProposal): ProposalReason {
  const { role, log } = state;
  const evidence = new Map<string, string>();
  const removedAt = new Map<NodeId, Offset>();
  if (role.kind !== 'leader') return { reason: '', evidence, removedAt };
  const proposed = new Set(proposal.isr.map(({ nodeId }) => nodeId));
  const { isr } = role.committed;
  const removed = isr.filter((node) => !proposed.has(node));
  const added = [...proposed].filter((node) => !isr.includes(node));
  for (const node of removed) {
    evidence.set(`behindMs.${node}`, String(Math.round(lagMs(state, role, node))));
    const stored = role.followers.get(node)?.storedEnd;
    if (stored === undefined) continue;
    evidence.set(`behindRecords.${node}`, String(Math.max(0, log.end - stored)));
    removedAt.set(node, stored);
  }
  return {
    reason: [said(removed, behind), said(added, caughtUp)].filter(Boolean).join('; '),
    evidence,
    removedAt,
  };
}

const behind = ['has fallen behind', 'have fallen behind'] as const;
const caughtUp = ['has caught up', 'have caught up'] as const;

function said(nodes: readonly NodeId[], [one, many]: readonly [string, string]): string {
  if (nodes.length === 0) return '';
  const names = nodes.toSorted((a, b) => a - b).join(' and ');
  return nodes.length === 1 ? `node ${names} ${one}` : `nodes ${names} ${many}`;
}
