/**
 * The rules of a broker's membership that a test can break, one switch each. In production every rule
 * holds. A rule whose absence no check notices is not tested.
 */
export interface MembershipRules {
  /** The lease runs from the sending of a heartbeat, not from its answer (rule B3.13). */
  readonly leaseFromSending: boolean;
  /** Only a controller that had a majority renews the lease (rule B3.13). */
  readonly needsMajority: boolean;
  /** After a stall the lease is judged before anything else (rule B3.14). */
  readonly judgesLeaseFirst: boolean;
  /** Of two controllers that say that they are active, the one of the earlier term is over (rule B3.5). */
  readonly followsLatestTerm: boolean;
  /** The broker epoch of an incarnation is taken once (rule B3.9). */
  readonly keepsEpoch: boolean;
}

/** All rules hold. */
export const everyMembershipRule: MembershipRules = Object.freeze({
  leaseFromSending: true,
  needsMajority: true,
  judgesLeaseFirst: true,
  followsLatestTerm: true,
  keepsEpoch: true,
});
