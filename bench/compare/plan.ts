/** How long and how often everything runs. */
export interface Plan {
  readonly isQuick: boolean;
  readonly rounds: number;
  readonly roundSeconds: number;
  readonly warmUpSeconds: number;
  /** At most so many rounds of warm-up in the first row, where servers are cold, and in the others. */
  readonly warmUpRoundsMax: { readonly first: number; readonly others: number };
  /** Trials of a lost leader, for each system; Kafka's client needs about a minute for a stopped one. */
  readonly faults: { readonly SIGKILL: number; readonly SIGSTOP: number };
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
        warmUpRoundsMax: { first: 5, others: 1 },
        faults: { SIGKILL: 2, SIGSTOP: 1 },
        consumeRecords: 300_000,
        halfLoadSeconds: 4,
      }
    : {
        isQuick,
        rounds: 5,
        roundSeconds: 6,
        warmUpSeconds: 4,
        warmUpRoundsMax: { first: 12, others: 2 },
        faults: { SIGKILL: 10, SIGSTOP: 4 },
        consumeRecords: 1_500_000,
        halfLoadSeconds: 30,
      };
}
