/** How long and how often everything runs. */
export interface Plan {
  readonly isQuick: boolean;
  readonly rounds: number;
  readonly roundSeconds: number;
  readonly warmUpSeconds: number;
  /** Trials of a killed leader, for each system. */
  readonly kills: number;
  /** Trials of a stopped one: Kafka's client needs about a minute for each. */
  readonly pauses: number;
  readonly consumeRecords: number;
  readonly halfLoadSeconds: number;
}

export function planOf(isQuick: boolean): Plan {
  return isQuick
    ? {
        isQuick,
        rounds: 3,
        roundSeconds: 1.5,
        warmUpSeconds: 1,
        kills: 2,
        pauses: 0,
        consumeRecords: 300_000,
        halfLoadSeconds: 6,
      }
    : {
        isQuick,
        rounds: 5,
        roundSeconds: 6,
        warmUpSeconds: 4,
        kills: 10,
        pauses: 3,
        consumeRecords: 1_500_000,
        halfLoadSeconds: 30,
      };
}
