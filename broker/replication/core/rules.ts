/**
 * The rules of docs/rules.md that this core can be told to break, one switch each. In production every
 * rule holds: `everyRule` is the frozen default. A test builds a copy with one rule off and must find
 * a lost record; a rule whose absence nobody notices is not tested.
 */
export interface Rules {
  /** Applying "epoch + 1, no leader" stops everything under lower epochs. */
  readonly promiseStops: boolean;
  /** A flush that ends after the promise is not reported to the leader of a lower epoch. */
  readonly promiseFencesReports: boolean;
  /** An answer carries the verified epoch, not the epoch of the last stored record. */
  readonly answersVerifiedEpoch: boolean;
  /** The verified epoch waits until the stored log has reached the epoch's start. */
  readonly verifiedAtEpochStart: boolean;
  /** No report below the epoch's start counts, the leader's own included. */
  readonly countsFromEpochStart: boolean;
  /** The semi-sync set shrinks only when k of the ISR have stored all that was acknowledged. */
  readonly settlesWhenStored: boolean;
  /** Semi-sync acks wait for the committed semi-sync set. */
  readonly needsSemiSyncSet: boolean;
  /** Semi-sync acks count the committed ISR, not the proposed one. */
  readonly countsCommittedIsr: boolean;
  /** Additions to the ISR name the incarnation that was judged. */
  readonly namesIncarnation: boolean;
  /** A replica joins the ISR with all that was acknowledged at semi-sync before its stream opened. */
  readonly joinsWithAcknowledged: boolean;
  /** No semi-sync ack while closing the set is pending. */
  readonly holdsWhileClosing: boolean;
  /** The watermark waits for the maximal ISR, not only for the committed one (rule B1.1). */
  readonly waitsForMaximalIsr: boolean;
  /** The watermark rests while the committed ISR is below the minimum (rule B1.2). */
  readonly needsMinInsync: boolean;
  /** The watermark never goes back within an epoch (rule B1.7). */
  readonly raisesWatermark: boolean;
  /** Reports count only from the stream whose opening agreed, of that incarnation (rule B1.3). */
  readonly countsAgreedStream: boolean;
  /** A stream starts only where both epoch histories agree (rule B2.3). */
  readonly comparesHistory: boolean;
  /** A follower joins with all that is below the watermark and the epoch's start (rule B3.4). */
  readonly joinsAtWatermark: boolean;
  /** Waiters are failed at step-down, never judged under a later epoch (rule B1.11). */
  readonly failsWaitersAtStepDown: boolean;
  /** A replica that restarted or failed never leads again in the epoch it led (rule 6.3). */
  readonly forfeitsEpoch: boolean;
  /** A duplicate waits for the asked ack level (rule B6.2). */
  readonly duplicatesWait: boolean;
  /** Deduplication comes before every other refusal (rule 6.9). */
  readonly deduplicatesFirst: boolean;
  /** A batch at `all` is refused while the committed ISR is below the minimum (rule B1.6). */
  readonly refusesBelowMinimum: boolean;
  /** Who waits at `all` is told once the committed ISR has fallen below it (rule B1.6). */
  readonly tellsBelowMinimum: boolean;
  /** A new leader does not say where the log ends until its watermark has reached its start (rule B1.8). */
  readonly awaitsOwnStart: boolean;
  /** The first batch of an epoch begins it in the history (rule B1.9). */
  readonly beginsEpoch: boolean;
  /** Only what is below the watermark is served (rule B1.10). */
  readonly servesBelowWatermark: boolean;
  /** A replica that would cut below its watermark halts (rule B2.7). */
  readonly haltsBelowWatermark: boolean;
  /** Answers and metadata of an older partition epoch are ignored (rule B3.5). */
  readonly ignoresOlder: boolean;
  /** Lag is measured over time in which the leader was able to serve (rule B3.6). */
  readonly countsServedTime: boolean;
  /** A member without a stream lags, whatever it has stored (rule B3.6). */
  readonly lagsWithoutStream: boolean;
  /** Without the lease nothing is acknowledged at `none` and `leader` (rule B3.14). */
  readonly needsLease: boolean;
  /** A position and a token are compared with the epoch history (rule B6.8). */
  readonly checksHistory: boolean;
  /** A replica behind a session token does not serve it (rule 6.10). */
  readonly awaitsToken: boolean;
}

/** All rules hold. */
export const everyRule: Rules = Object.freeze({
  promiseStops: true,
  promiseFencesReports: true,
  answersVerifiedEpoch: true,
  verifiedAtEpochStart: true,
  countsFromEpochStart: true,
  settlesWhenStored: true,
  needsSemiSyncSet: true,
  countsCommittedIsr: true,
  namesIncarnation: true,
  joinsWithAcknowledged: true,
  holdsWhileClosing: true,
  waitsForMaximalIsr: true,
  needsMinInsync: true,
  raisesWatermark: true,
  countsAgreedStream: true,
  comparesHistory: true,
  joinsAtWatermark: true,
  failsWaitersAtStepDown: true,
  forfeitsEpoch: true,
  duplicatesWait: true,
  deduplicatesFirst: true,
  refusesBelowMinimum: true,
  tellsBelowMinimum: true,
  awaitsOwnStart: true,
  beginsEpoch: true,
  servesBelowWatermark: true,
  haltsBelowWatermark: true,
  ignoresOlder: true,
  countsServedTime: true,
  lagsWithoutStream: true,
  needsLease: true,
  checksHistory: true,
  awaitsToken: true,
});
