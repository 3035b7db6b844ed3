/**
 * Range: each topic is cut into contiguous runs, one for each of its subscribers in order of their
 * names. Topics with equal partition counts and subscribers are cut alike, so records of one key in
 * several topics meet in one member.
 */
import type { AssignableTopic, Candidate, Targets } from './assignor.ts';
import { type PartitionKey, partitionKey } from './group-state.ts';

/** Candidates come in order of their names. */
export function assignRange(candidates: readonly Candidate[]): Targets {
  const targets = new Map<string, Set<PartitionKey>>();
  const subscribers = new Map<
    string,
    { readonly topic: AssignableTopic; readonly members: string[] }
  >();
  for (const { member, topics } of candidates) {
    targets.set(member, new Set());
    for (const topic of topics) {
      const entry = subscribers.get(topic.topicId) ?? { topic, members: [] };
      subscribers.set(topic.topicId, entry);
      entry.members.push(member);
    }
  }
  for (const { topic, members } of subscribers.values()) {
    members.forEach((member, index) => {
      const from = Math.ceil((index * topic.partitions) / members.length);
      const to = Math.ceil(((index + 1) * topic.partitions) / members.length);
      for (let at = from; at < to; at++) targets.get(member)?.add(partitionKey(topic.topicId, at));
    });
  }
  return targets;
}
