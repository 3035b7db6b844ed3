/**
 * What clients were told of each record they sent. Values are unique, so that each record that is
 * found is known to be the one that was sent.
 */
import type { Acks } from '../../../proto/model/acks.ts';

export type Fate = 'under-way' | 'acknowledged' | 'not-written' | 'maybe-written';

export interface SentRecord {
  readonly value: string;
  /** `topic/partition`; of a topic that comes and goes `topic#number/partition`, or `topic#?/partition`. */
  readonly place: string;
  readonly key: string | undefined;
  readonly writer: number;
  /** Order of sending of its writer. */
  readonly number: number;
  readonly acks: Acks;
  fate: Fate;
  offset: number | undefined;
  /** Of the topic that its receipt names. */
  topicId: string | undefined;
}

/** Whether the record may be there; while a topic is deleted and made again it may be in either, or in none. */
export function mayBeAt(record: SentRecord, place: string): boolean {
  return record.place === place || record.place === place.replace(/#[0-9]+/, '#?');
}

/** Told of each record that has to survive: `topic/partition`, its offset and the level. */
export type OnPromised = (place: string, offset: number, acks: Acks) => void;

export class Ledger {
  readonly records = new Map<string, SentRecord>();
  /** Acknowledged at a level that survives faults, in the order of the acknowledgements. */
  readonly promised: SentRecord[] = [];
  acknowledged = 0;
  readonly #onPromised: OnPromised;

  constructor(onPromised: OnPromised) {
    this.#onPromised = onPromised;
  }

  sent(record: SentRecord): void {
    this.records.set(record.value, record);
  }

  acknowledge(record: SentRecord, offset: number, isDegraded: boolean): void {
    record.fate = 'acknowledged';
    this.acknowledged++;
    if (record.acks === 'none') return;
    record.offset = offset;
    if (record.acks === 'leader' || isDegraded) return;
    this.promised.push(record);
    this.#onPromised(record.place, offset, record.acks);
  }
}
