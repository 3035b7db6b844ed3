/**
 * Interleaved rounds: A B A B … Drift of the machine then hits all contenders alike, which it would
 * not if each ran all its rounds at once. The order turns around every round.
 */
import { median } from './statistics.ts';

/** Something that is measured against others: one number for each round. */
export interface Contender<Name extends string> {
  readonly name: Name;
  measure(round: number): Promise<number>;
}

/** All numbers of every contender, by round. */
export type Rounds<Name extends string> = Readonly<Record<Name, readonly number[]>>;

/** Runs every contender once in each round, one at a time. */
export async function interleave<Name extends string>(
  count: number,
  contenders: ReadonlyArray<Contender<Name>>,
): Promise<Rounds<Name>> {
  const taken = Object.fromEntries(contenders.map(({ name }) => [name, [] as number[]])) as Record<
    Name,
    number[]
  >;
  for (let round = 0; round < count; round++) {
    const order = round % 2 === 0 ? contenders : [...contenders].reverse();
    for (const contender of order) taken[contender.name].push(await contender.measure(round));
  }
  return taken;
}

/** What a report says of `settle`. */
export const isSettled =
  'before the first measured round everybody runs until nobody gets faster, the same rounds for all';

/** So many rounds without anybody getting faster are enough. */
const steadyRounds = 2;

/**
 * The compiler settles: rounds that count for nothing, until in two of them nobody was `faster` times
 * as fast as ever before. The more code a contender has, the longer it takes.
 */
export async function settle(
  roundsMax: number,
  contenders: ReadonlyArray<Contender<string>>,
  faster = 1.03,
): Promise<void> {
  const best = new Map<string, number>();
  let without = 0;
  for (let round = 0; round < roundsMax && without < steadyRounds; round++) {
    without++;
    for (const [name, [value = 0]] of Object.entries(await interleave(1, contenders))) {
      const before = best.get(name) ?? 0;
      if (value > before * faster) without = 0;
      best.set(name, Math.max(before, value));
    }
  }
}

/** Ours ÷ the reference, round by round. */
export function ratios(ours: readonly number[], reference: readonly number[]): number[] {
  return ours.map((value, round) => value / (reference[round] ?? Number.NaN));
}

/** The one of several references with the greatest median. */
export function strongest<Name extends string>(rounds: Rounds<Name>, names: readonly Name[]): Name {
  const [first, ...others] = names;
  if (first === undefined) throw new Error('a reference is needed');
  return others.reduce(
    (best, name) => (median(rounds[name]) > median(rounds[best]) ? name : best),
    first,
  );
}
