/**
 * Spreads partitions over members: pure functions of who wants what and who has what. Everything is
 * ordered by name, so the same input gives the same answer everywhere.
 */
import type { TopicId } from '../../../proto/model/ids.ts';
import type { AssignorName, PartitionKey } from './group-state.ts';
import { assignRange } from './range-assignor.ts';
import { assignUniform } from './uniform-assignor.ts';

/** A topic that some member subscribes to. */
export interface AssignableTopic {
  readonly topicId: TopicId;
  readonly name: string;
  readonly partitions: number;
}

/** A member as the assignors see it. */
export interface Candidate {
  readonly member: string;
  /** Topics it subscribes to, in order of their names. */
  readonly topics: readonly AssignableTopic[];
  /** What it is to hold so far. */
  readonly target: ReadonlySet<PartitionKey>;
}

/** By member, what it is to hold. Every member has an entry. */
export type Targets = ReadonlyMap<string, ReadonlySet<PartitionKey>>;

/** True if the text names an assignor. */
export function isAssignor(name: string): name is AssignorName {
  return name === 'uniform' || name === 'range';
}

/** Every partition of every subscribed topic goes to exactly one member that subscribes to it. */
export function assign(assignor: AssignorName, candidates: readonly Candidate[]): Targets {
  const ordered = candidates.toSorted((a, b) => (a.member < b.member ? -1 : 1));
  return assignor === 'range' ? assignRange(ordered) : assignUniform(ordered);
}
