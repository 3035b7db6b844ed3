/**
 * What a lesson claims, beside what was observed. A claim is judged from data that was read back, and a
 * lesson without claims does not hold: saying nothing proves nothing.
 */
export interface Claim {
  /** A sentence. */
  readonly claim: string;
  readonly expected: string;
  readonly observed: string;
  readonly holds: boolean;
}

export class Claims {
  readonly #claims: Claim[] = [];

  get all(): readonly Claim[] {
    return this.#claims;
  }

  /** True if there are claims, and all of them hold. */
  get hold(): boolean {
    return this.#claims.length > 0 && this.#claims.every(({ holds }) => holds);
  }

  /** The observed value is the expected one. */
  equals(claim: string, observed: ClaimValue, expected: ClaimValue): void {
    const [seen, wanted] = [valueText(observed), valueText(expected)];
    this.#claims.push({ claim, expected: wanted, observed: seen, holds: seen === wanted });
  }

  /** The observed number is at most this. */
  atMost(claim: string, observed: number, most: number): void {
    this.#number(claim, { observed, expected: `at most ${valueText(most)}` }, observed <= most);
  }

  /** The observed number is at least this. */
  atLeast(claim: string, observed: number, least: number): void {
    this.#number(claim, { observed, expected: `at least ${valueText(least)}` }, observed >= least);
  }

  /** The observed number lies above `from` and below `to`. */
  between(claim: string, observed: number, [from, to]: readonly [number, number]): void {
    const expected = `between ${valueText(from)} and ${valueText(to)}`;
    this.#number(claim, { observed, expected }, observed > from && observed < to);
  }

  #number(
    claim: string,
    { observed, expected }: { readonly observed: number; readonly expected: string },
    holds: boolean,
  ): void {
    this.#claims.push({ claim, expected, observed: valueText(observed), holds });
  }
}

export type ClaimValue = string | number | bigint | boolean | readonly ClaimValue[];

/** A value as it is printed and compared: lists by their members, numbers without noise. */
export function valueText(value: ClaimValue): string {
  if (Array.isArray(value))
    return value.length === 0 ? 'none' : value.map((one: ClaimValue) => valueText(one)).join(', ');
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value !== 'number') return String(value);
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
