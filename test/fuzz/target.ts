/** One decoder under attack. */
export interface FuzzTarget {
  readonly name: string;
  /** Valid inputs to start from. */
  seeds(): Promise<readonly Buffer[]>;
  /** Puts checksums and the like right again, so that changes reach what lies behind them. */
  repair?(input: Buffer): Buffer;
  /** Throws if the decoder breaks a promise on this input. A refusal is not a failure. */
  check(input: Buffer): void;
}

/** Every target, loaded when it is asked for. Corpus files lie in `corpus/<name>/`. */
export const fuzzTargets: Readonly<Record<string, () => Promise<FuzzTarget>>> = {
  'record-batch': async () => (await import('./targets/record-batch.ts')).recordBatchTarget,
  'compressed-batch': async () =>
    (await import('./targets/compressed-batch.ts')).compressedBatchTarget,
};
