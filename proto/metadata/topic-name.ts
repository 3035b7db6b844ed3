/**
 * Which texts may name a topic (F19). Names never become paths, which are made of the topic's UUID;
 * the form keeps them safe in tools, logs and metrics all the same.
 */
import { limits } from '../model/limits.ts';

const form = /^[a-zA-Z0-9._-]+$/;

/** What a topic name must be, in words. */
export const topicNameExpected = `1 to ${limits.topicNameBytesMax} letters, digits, dots, underscores and dashes, and not . or ..`;

/** True if the text may name a topic. */
export function isTopicName(name: string): boolean {
  return (
    name.length <= limits.topicNameBytesMax && form.test(name) && name !== '.' && name !== '..'
  );
}

/** Metrics fold dots into underscores, so two names that differ in no more would collide. */
export function topicNameFolded(name: string): string {
  return name.replaceAll('.', '_');
}

/** Names of the system's own topics begin so; no client creates, alters or deletes them. */
export const internalPrefix = '__';

/** Where consumer groups are kept. */
export const groupsTopic = '__groups';

/** True for the topics that brokers have made for the system's own use. */
export function isSystemTopic(name: string): boolean {
  return name === groupsTopic;
}
