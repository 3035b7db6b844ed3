/**
 * Changes of a topic's settings.
 *
 * A change of the minimum is a step of every partition of the topic: its partition epoch rises, so a
 * leader that judged by the earlier minimum proposes in vain until it knows the later one. Otherwise it
 * could take a smaller set for large enough and move the watermark past a replica that is eligible here.
 */
import type { MetadataImage, TopicImage } from '../../../proto/metadata/image.ts';
import { minimumOf } from '../../../proto/metadata/partition-fault.ts';
import { type MetadataRecord, record } from '../../../proto/metadata/records.ts';
import { refusalText } from '../../../proto/model/setting.ts';
import { readTopicSettings, refusedTopicSetting } from '../../../proto/model/topic-settings.ts';
import { decided, type Outcome, refused } from './decision.ts';
import { findAlterableTopic } from './lookup.ts';
import { changed, stepped, withIsr } from './partition-step.ts';
import { configFault } from './topic-checks.ts';

export interface AlterTopic {
  readonly name: string;
  readonly set: ReadonlyMap<string, string>;
  /** Settings that go back to their default. */
  readonly reset: readonly string[];
}

/** Decides a change of settings. Nothing is committed if nothing would change. */
export function decideAlterTopic(image: MetadataImage, request: AlterTopic): Outcome<undefined> {
  const topic = findAlterableTopic(image, request.name);
  if ('code' in topic) return topic;
  for (const name of request.reset) {
    if (request.set.has(name)) {
      return refused('INVALID_CONFIG', `setting ${name} is both set and reset`, { setting: name });
    }
    // Any value will do to ask whether the name is known.
    const refusal = refusedTopicSetting(name, '');
    if (refusal?.accepted.startsWith('a known setting') === true) {
      return refused('INVALID_CONFIG', refusalText(refusal), { setting: name.slice(0, 255) });
    }
  }
  const config = new Map([...topic.config, ...request.set]);
  for (const name of request.reset) config.delete(name);
  const fault = configFault(config, leastReplicas(topic));
  if (fault !== undefined) return fault;
  if (isSame(config, topic.config)) return decided(undefined);
  const { topicId } = topic;
  const settings = readTopicSettings(config);
  const records = [record('topicConfigChanged', { topicId, config })];
  if (settings.minInsyncReplicas !== topic.settings.minInsyncReplicas) {
    records.push(...minimumSteps(topic, { ...topic, settings }));
  }
  const evidence = {
    set: [...request.set].map((one) => one.join('=')).join(' '),
    reset: request.reset.join(' '),
  };
  const event = {
    kind: 'topic-altered',
    subject: request.name,
    reason: 'asked for',
    evidence,
  } as const;
  return decided(undefined, records, [event]);
}

function* minimumSteps(before: TopicImage, after: TopicImage): IterableIterator<MetadataRecord> {
  for (const state of before.partitions.values()) {
    if (minimumOf(before, state) === minimumOf(after, state)) continue;
    yield changed(after.topicId, stepped(after, state, withIsr(state, state.isr)));
  }
}

/** Replicas of the partition that has or will have the fewest. */
function leastReplicas(topic: TopicImage): number {
  let least = Infinity;
  for (const { replicas, adding, removing } of topic.partitions.values()) {
    least = Math.min(least, replicas.length - Math.max(adding.length, removing.length));
  }
  return least;
}

function isSame(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([name, value]) => b.get(name) === value);
}
