/**
 * What a step asks of the shell, as data. The driver makes durable what is to be persisted, then
 * sends, then applies; see the driver for what may leave before the flush.
 */
import type { ErrorCode } from '../../../proto/model/errors.ts';
import type { LogIndex, Term } from '../../../proto/model/offset.ts';
import type { LogEntry, LogPosition } from './entry.ts';
import type { RequestId } from './inputs.ts';
import type { Envelope, SnapshotHead } from './messages.ts';
import type { HardState } from './state.ts';
import type { VoterId } from './voter.ts';

/** A state machine's bytes at a position of the log. */
export interface Snapshot extends SnapshotHead {
  readonly data: Uint8Array;
}

export type PersistEffect =
  /** Term, vote and damage mark in one write (rule B4.1). */
  | { readonly kind: 'persist-hard-state'; readonly hard: HardState }
  | { readonly kind: 'cut'; readonly from: LogIndex }
  | { readonly kind: 'append'; readonly entries: readonly LogEntry[] }
  /** Replaces the stored snapshot; entries up to and with `trimTo` go in the same write. */
  | { readonly kind: 'save-snapshot'; readonly snapshot: Snapshot; readonly trimTo: LogPosition }
  /** Replaces snapshot and log: the log begins anew after it. */
  | { readonly kind: 'install-snapshot'; readonly snapshot: Snapshot };

export interface SendEffect {
  readonly kind: 'send';
  readonly message: Envelope;
  /** True for entries of a leader: what others need not wait for its own flush (rule B4.3). */
  readonly isBeforeFlush: boolean;
}

export type ApplyEffect =
  | { readonly kind: 'restore'; readonly snapshot: Snapshot }
  | { readonly kind: 'committed'; readonly entries: readonly LogEntry[] }
  /** The proposal has this place in the log. */
  | { readonly kind: 'proposed'; readonly id: RequestId; readonly index: LogIndex }
  /** The reads may be served once `index` is applied. */
  | {
      readonly kind: 'read-ready';
      readonly ids: readonly RequestId[];
      readonly index: LogIndex;
    }
  | { readonly kind: 'done'; readonly id: RequestId }
  | {
      readonly kind: 'rejected';
      readonly id: RequestId;
      readonly code: ErrorCode;
      readonly reason: string;
    }
  | { readonly kind: 'event'; readonly event: RaftEvent };

export type Effect = PersistEffect | SendEffect | ApplyEffect;

/** What the log of the node tells: one line for each. */
export type RaftEvent =
  | {
      readonly event: 'quorum-campaign';
      readonly term: Term;
      readonly isPreVote: boolean;
      readonly reason: 'timeout' | 'no-leader' | 'transfer' | 'only-voter' | 'pre-vote-won';
    }
  | { readonly event: 'quorum-leader'; readonly term: Term; readonly votes: readonly VoterId[] }
  | {
      readonly event: 'quorum-stepped-down';
      readonly term: Term;
      readonly reason: 'higher-term' | 'no-majority-heard' | 'removed';
    }
  | { readonly event: 'quorum-follows'; readonly term: Term; readonly leader: VoterId }
  | {
      readonly event: 'quorum-voters';
      readonly index: LogIndex;
      readonly voters: readonly VoterId[];
    }
  | { readonly event: 'quorum-log-cut'; readonly from: LogIndex; readonly to: LogIndex }
  | { readonly event: 'quorum-snapshot-installed'; readonly index: LogIndex }
  | { readonly event: 'quorum-snapshot-refused'; readonly index: LogIndex; readonly reason: string }
  | { readonly event: 'quorum-healed'; readonly index: LogIndex };
