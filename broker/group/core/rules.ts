/**
 * The rules of groups that a test can break, one switch each. In production every rule holds. A rule
 * whose absence no check notices is not tested.
 */
export interface GroupRules {
  /** A commit is of a member that was given the partition in its generation or before (rule B6.7). */
  readonly fencesCommits: boolean;
  /** A group with members takes no commits from outside (rule B6.7). */
  readonly refusesOutsiders: boolean;
  /** A partition is given to a member when nobody holds it any more (rule 6.11). */
  readonly takesBackFirst: boolean;
  /** What a member says of an earlier generation frees nothing that it was asked for since (rule 6.11). */
  readonly comparesGeneration: boolean;
}

/** All rules hold. */
export const everyGroupRule: GroupRules = Object.freeze({
  fencesCommits: true,
  refusesOutsiders: true,
  takesBackFirst: true,
  comparesGeneration: true,
});
