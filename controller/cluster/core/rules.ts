/**
 * The rules of the controller's decisions that a test can break, one switch each; each is asked where
 * the decision is made. In production every rule holds. A rule whose absence no check notices is not
 * tested.
 */
export interface ClusterRules {
  /** A round is held under the next leader epoch (rule B3.1). */
  readonly raisesLeaderEpoch: boolean;
  /** Each change has a partition epoch of its own (rule B3.1). */
  readonly raisesPartitionEpoch: boolean;
  /** A proposal is judged only on the epochs that it names (rule B3.2). */
  readonly comparesEpochs: boolean;
  /** Only the registered incarnation of a broker is listened to (rule B3.2). */
  readonly comparesSender: boolean;
  /** Who joins is registered under the incarnation that the leader judged (rule B3.3). */
  readonly comparesMembers: boolean;
  /** Who joins is neither fenced nor stopping (rule B3.3). */
  readonly admitsServing: boolean;
  /** Who leaves an in-sync set that falls below the minimum stays eligible (rule B3.7). */
  readonly keepsEligible: boolean;
  /** With the minimum in sync nobody else is eligible (rule B3.7). */
  readonly emptiesEligible: boolean;
  /** Who joins the in-sync set is no longer among the eligible (rule B3.7). */
  readonly separatesSets: boolean;
  /** A leader that dies leaves the in-sync set (rule B3.8). */
  readonly releasesLeader: boolean;
  /** A registration that shows lost storage commits the suspicion with it (rule B3.10). */
  readonly suspectsAtOnce: boolean;
  /** Former members whose storage is suspect are remembered (rule B3.11). */
  readonly remembersFormer: boolean;
  /** A broker is unfenced once it has applied the metadata up to its registration (rule B3.12). */
  readonly awaitsMetadata: boolean;
  /** A reassignment drops nobody before all added replicas are in sync (rule B3.16). */
  readonly growsFirst: boolean;
  /** A reassignment leaves the minimum in sync (rule B3.16). */
  readonly keepsMinimum: boolean;
  /** A leader that is to go hands over first (rule B3.16). */
  readonly handsOverFirst: boolean;
  /** A semi-sync member is dropped only after the leader has settled it (rules B3.16, 6.5). */
  readonly awaitsSettling: boolean;
}

/** All rules hold. */
export const everyClusterRule: ClusterRules = Object.freeze({
  raisesLeaderEpoch: true,
  raisesPartitionEpoch: true,
  comparesEpochs: true,
  comparesSender: true,
  comparesMembers: true,
  admitsServing: true,
  keepsEligible: true,
  emptiesEligible: true,
  separatesSets: true,
  releasesLeader: true,
  suspectsAtOnce: true,
  remembersFormer: true,
  awaitsMetadata: true,
  growsFirst: true,
  keepsMinimum: true,
  handsOverFirst: true,
  awaitsSettling: true,
});
