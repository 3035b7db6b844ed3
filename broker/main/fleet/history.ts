/**
 * What a writer was told, and what a reader found, of one partition: the check that the two agree.
 *
 * Values are unique, so that each record that is read is known to be the one that was sent. What was
 * acknowledged is there once, what was definitely not written is not there, the rest may be; records
 * that were acknowledged lie where the receipt says, in the order in which they were sent.
 */
export type Fate = 'acknowledged' | 'not-written' | 'maybe-written';

export interface FoundRecord {
  readonly offset: bigint;
  readonly value: Buffer;
}

/** Counts of what went wrong; all zero for a history that keeps its promises. */
export interface Verdict {
  readonly acknowledged: number;
  readonly lost: number;
  readonly duplicated: number;
  /** Definitely not written, and found. */
  readonly unexpected: number;
  /** Found with other bytes than were sent, or never sent. */
  readonly damaged: number;
  /** Acknowledged at another offset than where it was found, or found before an earlier send. */
  readonly misplaced: number;
}

interface Sent {
  readonly value: string;
  fate: Fate;
  offset: bigint | undefined;
}

export class History {
  readonly #sent: Sent[] = [];

  get count(): number {
    return this.#sent.length;
  }

  /** A value is about to be sent; its number is the first eight characters of the value. */
  next(filler: string): string {
    const value = `${String(this.#sent.length).padStart(8, '0')} ${filler}`;
    this.#sent.push({ value, fate: 'maybe-written', offset: undefined });
    return value;
  }

  acknowledged(value: string, offset: bigint): void {
    const sent = this.#sent[numberOf(value)];
    if (sent === undefined) return;
    sent.fate = 'acknowledged';
    sent.offset = offset;
  }

  failed(value: string, outcome: 'not-written' | 'maybe-written'): void {
    const sent = this.#sent[numberOf(value)];
    if (sent !== undefined) sent.fate = outcome;
  }

  /** Judges one replica's records, in the order of their offsets. */
  check(found: readonly FoundRecord[]): Verdict {
    const seen = new Map<number, number>();
    const verdict = {
      acknowledged: 0,
      lost: 0,
      duplicated: 0,
      unexpected: 0,
      damaged: 0,
      misplaced: 0,
    };
    let last = -1;
    for (const { offset, value } of found) {
      const text = value.toString();
      const number = numberOf(text);
      const sent = this.#sent[number];
      if (sent?.value !== text) {
        verdict.damaged++;
        continue;
      }
      const times = (seen.get(number) ?? 0) + 1;
      seen.set(number, times);
      if (times > 1) verdict.duplicated++;
      if (sent.fate === 'not-written') verdict.unexpected++;
      if (sent.fate !== 'acknowledged' || times > 1) continue;
      if (sent.offset !== offset || number < last) verdict.misplaced++;
      last = number;
    }
    this.#sent.forEach(({ fate }, number) => {
      if (fate !== 'acknowledged') return;
      verdict.acknowledged++;
      if (!seen.has(number)) verdict.lost++;
    });
    return verdict;
  }

  /** Numbers of acknowledged values that are not among these: for messages of failed tests. */
  missing(found: readonly FoundRecord[]): number[] {
    const seen = new Set(found.map(({ value }) => numberOf(value.toString())));
    return this.#sent.flatMap(({ fate }, number) =>
      fate === 'acknowledged' && !seen.has(number) ? [number] : [],
    );
  }
}

function numberOf(value: string): number {
  return Number.parseInt(value.slice(0, 8), 10);
}
