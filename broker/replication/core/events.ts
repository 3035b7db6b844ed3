/**
 * Events for the journal of the node: what was decided about a partition, with the evidence. A
 * reader of the journal alone can tell why the in-sync set, the leader or the log changed.
 */
import type { NodeId } from '../../../proto/model/ids.ts';
import type { LeaderEpoch, Offset } from '../../../proto/model/offset.ts';

export type PartitionEvent =
  | {
      readonly event: 'became-leader';
      readonly leaderEpoch: LeaderEpoch;
      readonly epochStart: Offset;
      readonly watermark: Offset;
      readonly isr: readonly NodeId[];
    }
  | {
      readonly event: 'stepped-down';
      readonly leaderEpoch: LeaderEpoch;
      readonly logEnd: Offset;
      readonly watermark: Offset;
      /** Requests that were answered as maybe written. */
      readonly unacknowledged: number;
    }
  | { readonly event: 'may-not-lead'; readonly leaderEpoch: LeaderEpoch }
  | {
      readonly event: 'promised';
      readonly leaderEpoch: LeaderEpoch;
      readonly verifiedEpoch: LeaderEpoch;
      readonly storedEnd: Offset;
    }
  | { readonly event: 'following'; readonly leader: NodeId; readonly leaderEpoch: LeaderEpoch }
  | {
      readonly event: 'truncated';
      readonly leaderEpoch: LeaderEpoch;
      readonly logEnd: Offset;
      readonly truncateTo: Offset;
      readonly watermark: Offset;
    }
  | {
      readonly event: 'isr-shrink-proposed';
      readonly removed: readonly NodeId[];
      readonly logEnd: Offset;
      /** For each removed one: how far it had stored, and for how long it had lagged. */
      readonly evidence: readonly { readonly storedEnd: Offset; readonly lagMs: number }[];
    }
  | {
      readonly event: 'isr-expand-proposed';
      readonly added: readonly NodeId[];
      readonly watermark: Offset;
    }
  | {
      readonly event: 'isr-changed';
      readonly isr: readonly NodeId[];
      readonly semiSyncMembers: readonly NodeId[];
    }
  | { readonly event: 'semi-sync-degraded'; readonly storedBy: readonly NodeId[] }
  | { readonly event: 'semi-sync-recovered' }
  | { readonly event: 'halted'; readonly watermark: Offset; readonly truncateTo: Offset };
