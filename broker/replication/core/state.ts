/**
 * The state of one replica. It is owned by the machine: only `step` changes it, and the driver reads
 * it. Plain data throughout, so that a test can copy and compare it.
 *
 * Roles: none → promised ⇄ leader | follower; any → stopped, for good.
 * - metadata without a leader: promised (nothing is taken from a lower epoch);
 * - metadata that names this replica: leader, unless it forfeited the epoch;
 * - metadata that names another: follower.
 */
import type { NodeId } from '../../../proto/model/ids.ts';
import type {
  BrokerEpoch,
  LeaderEpoch,
  Offset,
  PartitionEpoch,
} from '../../../proto/model/offset.ts';
import type { EpochStart } from '../../log/core/epoch-history.ts';
import type { IsrProposal } from './effects.ts';
import type { RequestToken } from './inputs.ts';
import type { PartitionMetadata } from './metadata.ts';
import type { Rules } from './rules.ts';

/** One replica of one partition. */
export interface PartitionState {
  readonly self: NodeId;
  /** This incarnation of the broker. */
  readonly brokerEpoch: BrokerEpoch;
  /** What was applied last. The partition epoch never goes back. Followed again after a crash. */
  metadata: PartitionMetadata | undefined;
  readonly log: LogState;
  /** log.start <= watermark <= log.end. Never goes back, except by an unclean election. Checkpointed. */
  watermark: Offset;
  /** The highest epoch whose start the stored log has reached. Durable: it survives a crash. */
  verifiedEpoch: LeaderEpoch;
  /** The epoch that is being made durable as the verified one; at least `verifiedEpoch`. */
  persistingEpoch: LeaderEpoch;
  /** The storage may lack what it once had (rule 6.6). Cleared by the ISR that takes it in. */
  isSuspect: boolean;
  /** Never leads in this epoch or below (rule 6.3); -1: none. */
  forfeitedEpoch: number;
  /** Streams opened by this incarnation, to tell a late answer from a current one. */
  streams: number;
  /** Whether `none` and `leader` writes may be taken (rule 6.7). */
  isLeaseHeld: boolean;
  role: Role;
  readonly rules: Rules;
}

/** What the machine knows of the log behind it. */
interface LogState {
  /** The first retained offset. Only rises. */
  start: Offset;
  /** The offset of the next record: appends ordered so far, whether written or not. */
  end: Offset;
  /** Everything below counts as stored. start <= stored <= end. */
  stored: Offset;
  /** Cuts so far in this incarnation; flushes begun before a cut are ignored. */
  cuts: number;
  /** A cut is on its way to the disk: nothing is appended or reported meanwhile (rule B2.8). */
  isCutting: boolean;
  /** The epochs that have records. A pure function of the log. */
  history: EpochStart[];
}

export type Role =
  | { readonly kind: 'none' }
  | Promised
  | Leader
  | Follower
  | { readonly kind: 'stopped'; readonly why: 'stop' | 'log-failed' | 'halted' };

/** No leader in this epoch, or none that this replica may be. */
interface Promised {
  readonly kind: 'promised';
  readonly epoch: LeaderEpoch;
}

/** Orders appends in its epoch. Nothing of it survives a crash. */
export interface Leader {
  readonly kind: 'leader';
  readonly epoch: LeaderEpoch;
  /** The log's end at the election. Nothing counts below it, acks and watermark alike. */
  readonly epochStart: Offset;
  /** Time of the last input that told it. */
  nowMs: number;
  /** Time in which this process was able to serve, since it began to lead (rule B3.6). */
  servedMs: number;
  readonly followers: Map<NodeId, Progress>;
  /** What the controllers committed, as far as known here. */
  committed: CommittedIsr;
  /** What was proposed and is not decided. */
  pending: PendingIsr | undefined;
  readonly semiSync: SemiSyncUse;
  /** Requests that wait, by level; each ordered by `endOffset`. */
  readonly waiting: {
    readonly leader: Waiter[];
    readonly semiSync: Waiter[];
    readonly all: Waiter[];
  };
  handOver: HandOver | undefined;
  /** Proposals made in this epoch; an answer names the one it answers. */
  proposals: number;
  /** No proposal before this time: the last one was refused or its outcome is unknown. */
  proposeAfterMs: number;
}

/** A follower as its leader sees it; from one verified opening on, in this epoch (rule B1.3). */
export interface Progress {
  /** The incarnation whose stream this is. */
  readonly brokerEpoch: BrokerEpoch;
  readonly stream: number;
  /** `diverged`: it must cut and open again. `closed`: what it had stored, it still has. */
  phase: 'diverged' | 'started' | 'closed';
  /** As reported, at most the leader's own. */
  logEnd: Offset;
  /** As reported and counted; undefined before the first report at or above the epoch's start. */
  storedEnd: Offset | undefined;
  /**
   * What had been acknowledged at `semi-sync` when this stream opened. A replica that lost its storage
   * may have been counted for any of it, so it joins the ISR only once it has stored that much again.
   */
  readonly joinsAt: Offset;
  /** In served time: when it last had all that the leader had had at `mark`. */
  caughtUpMs: number;
  /** The leader's end at `markMs`; reaching it moves `caughtUpMs` there. */
  mark: Offset;
  markMs: number;
}

/** The committed in-sync set and semi-sync members, under the partition epoch that compares and sets. */
export interface CommittedIsr {
  readonly partitionEpoch: PartitionEpoch;
  readonly isr: readonly NodeId[];
  readonly semiSyncMembers: readonly NodeId[];
  readonly semiSyncReplicas: number;
}

/** One proposal at a time. Each state has the maximal ISR that the watermark waits for (rule B1.1). */
export interface PendingIsr {
  readonly kind: 'expand' | 'shrink' | 'open' | 'settle' | 'close' | 'reaffirm';
  readonly proposal: IsrProposal;
  /** The committed ISR and every set proposed and not decided. */
  readonly maximalIsr: readonly NodeId[];
  /** Proposed to leave; not counted for semi-sync acks meanwhile. */
  readonly removed: readonly NodeId[];
  /**
   * `asked`: the answer is awaited. `unknown`: some attempt may yet be committed, so the union stays
   * and the same is asked again. `outdated`: the controller is ahead, metadata is awaited.
   */
  outcome: 'asked' | 'unknown' | 'outdated';
  /** An earlier attempt of this or of a proposal before it may yet be committed. */
  readonly isUncertain: boolean;
  /** Some undecided attempt closes the semi-sync set: no ack at that level meanwhile. */
  readonly mayClose: boolean;
  /** The greatest k of the undecided attempts that settle: acks reach it meanwhile. */
  readonly settlingReplicas: number;
}

/** How the semi-sync level is used in this epoch. */
interface SemiSyncUse {
  /**
   * Everything acknowledged at the level lies below it: the epoch's start for what earlier leaders
   * acknowledged, then the highest ack of this one. Only rises.
   */
  acknowledgedEnd: Offset;
  /** When a request last asked for the level, in served time. */
  usedMs: number;
  /** Acks are degraded until k members have stored this much; undefined: not degraded. */
  degradedUntil: Offset | undefined;
}

/** A produce request that waits for its level. */
export interface Waiter {
  readonly token: RequestToken;
  readonly baseOffset: Offset;
  readonly endOffset: Offset;
  /** When it fails. */
  readonly deadlineMs: number;
  /** When it may be acknowledged as `leader` would be; never, where the topic does not allow it. */
  readonly degradeAtMs: number;
  /** The batch was in the log before this request. */
  readonly isDuplicate: boolean;
}

/** Appends are held until the successor has stored everything. */
interface HandOver {
  readonly successor: NodeId;
  readonly deadlineMs: number;
  /** The driver was told that the successor is ready. */
  isReady: boolean;
}

/** Copies from the leader of its epoch. */
export interface Follower {
  readonly kind: 'follower';
  readonly epoch: LeaderEpoch;
  readonly leader: NodeId;
  /** `closed`: wait for the link. `opening`: answer awaited. `cutting`: cut awaited. `started`: copying. */
  phase: 'closed' | 'opening' | 'cutting' | 'started';
  /** The current stream; answers and batches of other streams are ignored. */
  stream: number;
  /** The leader's log end at its election; told by `start`, known from then on. */
  epochStart: Offset | undefined;
}
