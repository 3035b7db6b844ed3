/**
 * Offsets, epochs and terms: numbers that grow and must never be mixed.
 *
 * They are branded doubles, exact up to 2^53 - 1; decoders refuse anything greater, so no
 * arithmetic here can round. `bigint` appears only at the public surface of the client.
 */
import type { BrandedNumber } from './ids.ts';
import { invariant } from './invariant.ts';

/** The logical place of a record in its partition. */
export type Offset = BrandedNumber<'Offset'>;
/** Generation of a partition's leadership; rises with each election (rule B3.1). */
export type LeaderEpoch = BrandedNumber<'LeaderEpoch'>;
/** Version of a partition's metadata: the compare-and-set of ISR changes (rule B3.2). */
export type PartitionEpoch = BrandedNumber<'PartitionEpoch'>;
/** Incarnation of a broker's registration; the metadata revision that granted it (rule B3.9). */
export type BrokerEpoch = BrandedNumber<'BrokerEpoch'>;
/** Generation of quorum leadership, and of nothing else. */
export type Term = BrandedNumber<'Term'>;
/** Position of an entry in the quorum log, from 1; 0 means "before the first". */
export type LogIndex = BrandedNumber<'LogIndex'>;
/** Position in the metadata stream: the quorum index up to which an image was folded. */
export type Revision = BrandedNumber<'Revision'>;
/** Generation of an idempotent producer. */
export type ProducerEpoch = BrandedNumber<'ProducerEpoch'>;

function counted(value: number, least: number, what: string): number {
  // The sentence is made only when it is said: this runs several times for every batch.
  if (Number.isSafeInteger(value) && value >= least) return value;
  invariant(false, `${what} is a whole number of ${least} or more, not ${value}`);
}

export const offset = (value: number): Offset => counted(value, 0, 'an offset') as Offset;
export const leaderEpoch = (value: number): LeaderEpoch =>
  counted(value, 0, 'a leader epoch') as LeaderEpoch;
export const partitionEpoch = (value: number): PartitionEpoch =>
  counted(value, 0, 'a partition epoch') as PartitionEpoch;
export const brokerEpoch = (value: number): BrokerEpoch =>
  counted(value, 0, 'a broker epoch') as BrokerEpoch;
export const term = (value: number): Term => counted(value, 0, 'a term') as Term;
export const logIndex = (value: number): LogIndex => counted(value, 0, 'a log index') as LogIndex;
export const revision = (value: number): Revision => counted(value, 0, 'a revision') as Revision;
export const producerEpoch = (value: number): ProducerEpoch =>
  counted(value, 0, 'a producer epoch') as ProducerEpoch;

/** The offset `count` records further on. */
export const offsetAfter = (start: Offset, count: number): Offset => offset(start + count);
