/**
 * The rules of a producer that a test can break, one switch each. In production every rule holds. A rule
 * whose absence no check notices is not tested.
 */
export interface ProducerRules {
  /** At most five batches are unanswered: the broker remembers as many (rule B6.5). */
  readonly limitsInFlight: boolean;
  /** Once one was refused nothing is sent until all in flight are answered (rule B6.5). */
  readonly settlesFirst: boolean;
  /** What may have been written is never sent again under another sequence (rule B6.3). */
  readonly failsUncertain: boolean;
}

/** All rules hold. */
export const everyProducerRule: ProducerRules = Object.freeze({
  limitsInFlight: true,
  settlesFirst: true,
  failsUncertain: true,
});
