/**
 * The rules of a quorum member's store that a test can break, one switch each. In production every rule
 * holds. A rule whose absence no check notices is not tested.
 */
export interface StoreRules {
  /** A snapshot that is not whole is not there (B4.11). */
  readonly checksSnapshot: boolean;
  /** A log that does not reach the snapshot begins anew behind it (B4.11). */
  readonly leavesNoHole: boolean;
  /** A log that lacks what had been stored is marked as damaged (B4.12). */
  readonly marksDamage: boolean;
  /** A log that ends before its recorded bounds is damaged, not short (B4.15). */
  readonly comparesBounds: boolean;
  /** Each group records how far the log was durable before it, which holds without the bounds (B4.15). */
  readonly trustsGroups: boolean;
}

/** All rules hold. */
export const everyStoreRule: StoreRules = Object.freeze({
  checksSnapshot: true,
  leavesNoHole: true,
  marksDamage: true,
  comparesBounds: true,
  trustsGroups: true,
});
