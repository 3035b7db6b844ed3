/**
 * Branded identities: a node id cannot be passed where a partition number is meant.
 * The constructors are the only places that brand, and they check the range.
 */
import { invariant } from './invariant.ts';

declare const brand: unique symbol;

/** A number that only its own constructor can make. */
export type BrandedNumber<Name extends string> = number & { readonly [brand]: Name };
/** A string that only its own constructor can make. */
export type BrandedString<Name extends string> = string & { readonly [brand]: Name };

/** A node of the cluster, broker or controller; chosen by the operator, 1 or greater. */
export type NodeId = BrandedNumber<'NodeId'>;
/** The number of a partition inside its topic, from 0. */
export type PartitionNumber = BrandedNumber<'PartitionNumber'>;
/** Identity of a topic for ever; a topic of the same name created again has another id. */
export type TopicId = BrandedString<'TopicId'>;
/** Identity of a cluster, given at its formation. Nodes of other clusters are refused. */
export type ClusterId = BrandedString<'ClusterId'>;
/** Identity of one data directory. An emptied disk gets another one (rule B4.9). */
export type StorageId = BrandedString<'StorageId'>;
/** One start of one process. Distinguishes a restarted broker from a delayed message of the old one. */
export type IncarnationId = BrandedString<'IncarnationId'>;
/** An idempotent producer, given out from committed blocks and never reused (rule B6.1). */
export type ProducerId = BrandedNumber<'ProducerId'>;

const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** True if the text is a lower-case UUID, the only spelling that ids use. */
export function isUuid(text: string): boolean {
  return uuidForm.test(text);
}

function whole(value: number, least: number, what: string): number {
  // The sentence is made only when it is said: this runs several times for every batch.
  if (Number.isSafeInteger(value) && value >= least) return value;
  invariant(false, `${what} is a whole number of ${least} or more, not ${value}`);
}

export const nodeId = (value: number): NodeId => whole(value, 1, 'a node id') as NodeId;
export const partitionNumber = (value: number): PartitionNumber =>
  whole(value, 0, 'a partition number') as PartitionNumber;
export const producerId = (value: number): ProducerId =>
  whole(value, 0, 'a producer id') as ProducerId;

function uuid(text: string, what: string): string {
  if (isUuid(text)) return text;
  invariant(false, `${what} is a lower-case UUID, not ${JSON.stringify(text)}`);
}

export const topicId = (text: string): TopicId => uuid(text, 'a topic id') as TopicId;
export const clusterId = (text: string): ClusterId => uuid(text, 'a cluster id') as ClusterId;
export const storageId = (text: string): StorageId => uuid(text, 'a storage id') as StorageId;
export const incarnationId = (text: string): IncarnationId =>
  uuid(text, 'an incarnation id') as IncarnationId;
