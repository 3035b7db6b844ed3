/**
 * Uniform and sticky: members keep what they have as far as the numbers allow, so a change of one
 * member moves little. Where all subscribe alike the numbers differ by one at most.
 *
 * Three steps: keep what is still wanted; give what is free to the least loaded of its subscribers;
 * move from the most to the least loaded while that brings them closer. Each move lowers the sum of
 * squares of the loads, so it ends.
 */
import type { Candidate, Targets } from './assignor.ts';
import { type PartitionKey, partitionKey, placeOf } from './group-state.ts';

/** A member with what it has been given so far. */
interface Bearer {
  readonly candidate: Candidate;
  readonly topicIds: ReadonlySet<string>;
  readonly given: Set<PartitionKey>;
}

/** Candidates come in order of their names. */
export function assignUniform(candidates: readonly Candidate[]): Targets {
  const bearers = candidates.map(
    (candidate): Bearer => ({
      candidate,
      topicIds: new Set(candidate.topics.map((topic) => topic.topicId)),
      given: new Set(),
    }),
  );
  const free = keep(bearers);
  for (const key of free) leastLoaded(bearers, key)?.given.add(key);
  balance(bearers);
  return new Map(bearers.map(({ candidate, given }) => [candidate.member, given]));
}

/** Gives everybody what it had and still wants; returns the rest in order. */
function keep(bearers: readonly Bearer[]): PartitionKey[] {
  const wanted = new Set<PartitionKey>();
  for (const { candidate } of bearers)
    for (const { topicId, partitions } of candidate.topics)
      for (let at = 0; at < partitions; at++) wanted.add(partitionKey(topicId, at));
  for (const bearer of bearers) {
    for (const key of bearer.candidate.target) {
      if (!wants(bearer, key) || !wanted.delete(key)) continue;
      bearer.given.add(key);
    }
  }
  return [...wanted];
}

function wants(bearer: Bearer, key: PartitionKey): boolean {
  return bearer.topicIds.has(placeOf(key).topicId);
}

function leastLoaded(bearers: readonly Bearer[], key: PartitionKey): Bearer | undefined {
  let least: Bearer | undefined;
  for (const bearer of bearers) {
    if (!wants(bearer, key)) continue;
    if (least === undefined || bearer.given.size < least.given.size) least = bearer;
  }
  return least;
}

function balance(bearers: readonly Bearer[]): void {
  for (let hasMoved = true; hasMoved; ) {
    hasMoved = false;
    for (const taker of bearers.toSorted((a, b) => a.given.size - b.given.size)) {
      hasMoved = takeOne(taker, bearers) || hasMoved;
    }
  }
}

/** Moves one partition to `taker` from the most loaded member that has one for it. */
function takeOne(taker: Bearer, bearers: readonly Bearer[]): boolean {
  const givers = bearers
    .filter((giver) => giver.given.size >= taker.given.size + 2)
    .sort((a, b) => b.given.size - a.given.size);
  for (const giver of givers) {
    for (const key of giver.given) {
      if (!wants(taker, key)) continue;
      giver.given.delete(key);
      taker.given.add(key);
      return true;
    }
  }
  return false;
}
