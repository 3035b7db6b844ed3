/**
 * What quorum members say to each other. Every message names both identities and the sender's term;
 * all are idempotent and may come late, twice or in another order (rule B4.16).
 *
 * `round` counts what a leader sends in its term: an answer that echoes it was given after it.
 */
import type { LogIndex, Term } from '../../../proto/model/offset.ts';
import type { LogEntry, LogPosition } from './entry.ts';
import type { Voter, VoterId } from './voter.ts';

export interface Envelope {
  readonly from: VoterId;
  readonly to: VoterId;
  /** The sender's term. */
  readonly term: Term;
  readonly body: MessageBody;
}

export type MessageBody =
  | PreVoteRequest
  | PreVoteResponse
  | VoteRequest
  | VoteResponse
  | AppendRequest
  | AppendAccepted
  | AppendRejected
  | SnapshotChunk
  | SnapshotProgress
  | TimeoutNow;

/** "Would you vote for me?" Changes nothing at either side (rule B4.5). */
export interface PreVoteRequest {
  readonly kind: 'pre-vote-request';
  /** Numbers the sender's attempts, so that an answer to an earlier one does not count. */
  readonly campaign: number;
  readonly last: LogPosition;
}

export interface PreVoteResponse {
  readonly kind: 'pre-vote-response';
  readonly campaign: number;
  readonly isGranted: boolean;
}

export interface VoteRequest {
  readonly kind: 'vote-request';
  readonly last: LogPosition;
  /** The leader itself asked for this election: a leader that is still heard is no reason to refuse. */
  readonly isTransfer: boolean;
}

export interface VoteResponse {
  readonly kind: 'vote-response';
  readonly isGranted: boolean;
}

/** Entries after `previous`; none in a heartbeat. */
export interface AppendRequest {
  readonly kind: 'append-request';
  readonly previous: LogPosition;
  readonly entries: readonly LogEntry[];
  readonly commitIndex: LogIndex;
  readonly round: number;
}

/** The logs agree up to and with `matchIndex`, and the sender has flushed that much. */
export interface AppendAccepted {
  readonly kind: 'append-accepted';
  readonly matchIndex: LogIndex;
  readonly round: number;
}

/** The log at `rejectedIndex` is another one or not there. */
export interface AppendRejected {
  readonly kind: 'append-rejected';
  readonly rejectedIndex: LogIndex;
  /** The last position at which the logs may agree. */
  readonly hint: LogPosition;
  readonly round: number;
}

/** Names one snapshot; `checksum` is the CRC-32C of all its data. */
export interface SnapshotHead extends LogPosition {
  readonly voters: readonly Voter[];
  readonly bytes: number;
  readonly checksum: number;
}

/** The bytes of a snapshot from `offset` on. */
export interface SnapshotChunk {
  readonly kind: 'snapshot-chunk';
  readonly head: SnapshotHead;
  readonly offset: number;
  readonly data: Uint8Array;
  readonly round: number;
}

/** How much of a snapshot has arrived: the next chunk begins there. */
export interface SnapshotProgress {
  readonly kind: 'snapshot-progress';
  readonly index: LogIndex;
  readonly offset: number;
  readonly round: number;
}

/** "Stand for election at once": the last word of a leader that hands over. */
export interface TimeoutNow {
  readonly kind: 'timeout-now';
}
