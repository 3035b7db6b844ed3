/**
 * Who counts in the quorum. A voter is a node together with its storage: an emptied disk has
 * forgotten its votes, so it is another voter and never re-joins as the old one (rule B4.9).
 */
import type { BrandedString, NodeId, StorageId } from '../../../proto/model/ids.ts';
import type { LogIndex } from '../../../proto/model/offset.ts';

/** Node id and storage UUID as one comparable value, `1/0b6f…`. */
export type VoterId = BrandedString<'VoterId'>;

/** A member of the quorum and where it is reached. */
export interface Voter {
  readonly id: VoterId;
  readonly nodeId: NodeId;
  readonly storageId: StorageId;
  readonly host: string;
  readonly port: number;
}

/** The voters from an index of the log on. */
export interface Configuration {
  /** Index of the entry, or of the snapshot, that says so. */
  readonly index: LogIndex;
  readonly voters: readonly Voter[];
}

/** The identity of a node's storage in the quorum. */
export function voterId(node: NodeId, storage: StorageId): VoterId {
  return `${node}/${storage}` as VoterId;
}

/** The node of an identity. */
export function nodeIdOf(id: VoterId): NodeId {
  return Number(id.slice(0, id.indexOf('/'))) as NodeId;
}

/** True if the identity is one of the voters. */
export function isVoterIn(configuration: Configuration, id: VoterId): boolean {
  return configuration.voters.some((voter) => voter.id === id);
}

/** True if those who agree are more than half of the voters. Others do not count. */
export function isMajority(configuration: Configuration, agreed: ReadonlySet<VoterId>): boolean {
  let count = 0;
  for (const { id } of configuration.voters) if (agreed.has(id)) count++;
  return count * 2 > configuration.voters.length;
}

/**
 * The greatest value that more than half of the voters have reached. `of` says what a voter has;
 * without voters nothing is reached.
 */
export function majorityReached(
  configuration: Configuration,
  of: (id: VoterId) => number,
): number | undefined {
  const reached = configuration.voters.map(({ id }) => of(id)).sort((a, b) => b - a);
  return reached[Math.floor(reached.length / 2)];
}
