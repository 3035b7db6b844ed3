/**
 * The rules of the quorum that a test can break, one switch each; each is asked at one place. In
 * production every rule holds. A rule whose absence no check notices is not tested.
 */
export interface Rules {
  /** A vote is erased only when the term rises (B4.2). */
  readonly keepsVote: boolean;
  /** A vote is flushed before it is told (B4.1). */
  readonly persistsVote: boolean;
  /** Votes go only to logs that are up to date (Raft §5.4.1). */
  readonly votesForUpToDate: boolean;
  /** Only entries of the own term are committed by counting (B4.4). */
  readonly commitsOwnTerm: boolean;
  /** The leader counts itself only after its own flush, a follower answers after its (B4.3). */
  readonly countsFlushed: boolean;
  /** Entries that differ are cut and replaced (Raft §5.3). */
  readonly cutsConflicts: boolean;
  /** A voter is changed only after an entry of the term is committed (B4.7). */
  readonly changesInOwnTerm: boolean;
  /** One voter change at a time (B4.7). */
  readonly oneChangeAtATime: boolean;
  /** A damaged log does not vote (B4.12). */
  readonly damagedAbstains: boolean;
  /** A read asks a majority after it arrived (B4.14). */
  readonly asksForReads: boolean;
  /** A pre-vote comes before the vote (B4.5). */
  readonly preVotes: boolean;
  /** A leader that hears no majority steps down (B4.6). */
  readonly checksQuorum: boolean;
}

/** All rules hold. */
export const everyRule: Rules = Object.freeze({
  keepsVote: true,
  persistsVote: true,
  votesForUpToDate: true,
  commitsOwnTerm: true,
  countsFlushed: true,
  cutsConflicts: true,
  changesInOwnTerm: true,
  oneChangeAtATime: true,
  damagedAbstains: true,
  asksForReads: true,
  preVotes: true,
  checksQuorum: true,
});
