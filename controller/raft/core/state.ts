/**
 * The state of one quorum member.
 *
 *   follower      → pre-candidate   no leader heard until the election is due
 *   pre-candidate → candidate       a majority would vote for it
 *   follower      → candidate       the leader hands over to it
 *   candidate     → leader          a majority voted for it
 *   pre-candidate, candidate → pre-candidate   the election timed out
 *   any           → follower        a higher term, or the leader of the own term
 *   leader        → follower        no majority heard, or removed
 *
 * Only `hard`, `log` and `snapshot` survive a crash.
 */
import type { LogIndex, Term } from '../../../proto/model/offset.ts';
import type { Snapshot } from './effects.ts';
import type { RequestId, VoterChange } from './inputs.ts';
import type { LogView } from './log-view.ts';
import type { SnapshotHead } from './messages.ts';
import type { Progress } from './progress.ts';
import type { Rules } from './rules.ts';
import type { Configuration, VoterId } from './voter.ts';

/** One atomic durable write (rule B4.1). */
export interface HardState {
  /** Never falls. */
  readonly term: Term;
  /** Erased only when the term rises (rule B4.2). */
  readonly vote: VoterId | undefined;
  /** Set while entries that were once acknowledged may be missing: no vote, no candidacy (rule B4.12). */
  readonly damage: Damage | undefined;
}

/** What a damaged log may have lost. */
export interface Damage {
  /** The term at which the damage was found: nothing was acknowledged in a later one. */
  readonly term: Term;
  /** Nothing above this index was ever acknowledged; infinite where that is not known. */
  readonly lostTo: number;
}

/** How patient a member is, and its bounds in bytes. */
export interface RaftTiming {
  /** A leader unheard for so long may be replaced; elections are due after one to two of it. */
  readonly electionMs: number;
  readonly heartbeatMs: number;
  /** Entries of one message. */
  readonly appendBytesMax: number;
  /** Entries on the way to one follower. */
  readonly inFlightBytesMax: number;
  readonly chunkBytes: number;
  readonly snapshotBytesMax: number;
  /** Entries kept before a snapshot, so that a follower a little behind needs no snapshot. */
  readonly trailingBytes: number;
}

export interface RaftState {
  readonly self: VoterId;
  readonly timing: RaftTiming;
  readonly rules: Rules;
  readonly hard: HardState;
  readonly log: LogView;
  readonly snapshot: Snapshot | undefined;
  /** The one in force at the snapshot first, then those of the log; the last one counts. */
  readonly configurations: readonly Configuration[];
  /** Never falls; at or above the snapshot's index; not durable, a leader tells it again. */
  readonly commitIndex: LogIndex;
  /** At most `log.lastIndex`; what the own vote for a commit rests on (rule B4.3). */
  readonly flushedIndex: LogIndex;
  /** The leader of the present term, as far as it was heard. */
  readonly leader: VoterId | undefined;
  /** When the leader of this term was last heard; minus infinity if never. */
  readonly leaderHeardAt: number;
  readonly electionDueAt: number;
  /** Counts the own pre-votes. */
  readonly campaign: number;
  /** A snapshot on its way in. */
  readonly incoming: IncomingSnapshot | undefined;
  readonly role: Role;
}

export interface IncomingSnapshot {
  readonly head: SnapshotHead;
  readonly chunks: readonly Uint8Array[];
  readonly received: number;
  readonly checksum: number;
}

export type Role =
  | { readonly kind: 'follower' }
  | { readonly kind: 'pre-candidate'; readonly granted: ReadonlySet<VoterId> }
  | {
      readonly kind: 'candidate';
      readonly granted: ReadonlySet<VoterId>;
      readonly isTransfer: boolean;
    }
  | LeaderRole;

export interface LeaderRole {
  readonly kind: 'leader';
  /** Index of the entry that began the term. */
  readonly termStart: LogIndex;
  /** All that are replicated to: other voters of the configurations in play, and a learner. */
  readonly progress: ReadonlyMap<VoterId, Progress>;
  /** Rises with each broadcast that has to be answered anew. */
  readonly round: number;
  /** Everybody is to get a message when the batch of inputs is done. */
  readonly isBroadcastDue: boolean;
  readonly heartbeatDueAt: number;
  readonly reads: readonly PendingRead[];
  readonly change: PendingChange | undefined;
  readonly transfer: PendingTransfer | undefined;
}

export interface PendingRead {
  readonly id: RequestId;
  /** The round that has to be answered and the index then; undefined until the term has committed. */
  readonly asked: { readonly round: number; readonly index: LogIndex } | undefined;
}

/** A voter change under way: first a learner catches up, then its configuration waits for commit. */
export interface PendingChange {
  readonly id: RequestId;
  readonly change: VoterChange;
  /** Index of its configuration entry, once appended. */
  readonly index: LogIndex | undefined;
  /** The learner's present round: where it has to get, and since when. */
  readonly target: LogIndex;
  readonly roundStartedAt: number;
  readonly deadlineAt: number;
}

export interface PendingTransfer {
  readonly id: RequestId;
  readonly to: VoterId;
  readonly deadlineAt: number;
  readonly isAsked: boolean;
}
