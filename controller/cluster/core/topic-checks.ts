/**
 * What a topic may look like (F19, F21). Everything impossible is refused here, before it reaches the
 * log, with the value and what would have been accepted.
 */
import type { MetadataImage } from '../../../proto/metadata/image.ts';
import { topicLike } from '../../../proto/metadata/image.ts';
import {
  internalPrefix,
  isTopicName,
  topicNameExpected,
} from '../../../proto/metadata/topic-name.ts';
import type { NodeId } from '../../../proto/model/ids.ts';
import { limits } from '../../../proto/model/limits.ts';
import { refusalText } from '../../../proto/model/setting.ts';
import { refusedTopicSetting } from '../../../proto/model/topic-settings.ts';
import { type Refused, refused } from './decision.ts';
import { placeableBrokers } from './placement.ts';

/** A name that nobody can take, or that somebody has. */
export function nameFault(
  image: MetadataImage,
  name: string,
  isInternal: boolean,
): Refused | undefined {
  if (!isTopicName(name)) {
    const shown = JSON.stringify(name.slice(0, limits.topicNameBytesMax + 1));
    return refused('INVALID_TOPIC', `topic name ${shown}; expected ${topicNameExpected}`);
  }
  if (!isInternal && name.startsWith(internalPrefix)) {
    return refused('INVALID_TOPIC', `topic name ${name}: ${internalPrefix}… is the system's own`);
  }
  const other = topicLike(image, name);
  if (other === undefined) return undefined;
  if (other.name === name) return refused('TOPIC_EXISTS', `a topic named ${name} exists`);
  return refused(
    'INVALID_TOPIC',
    `topic name ${name} cannot be told from ${other.name} in metrics`,
  );
}

/** A number of partitions that is not possible. `from`: the least. */
export function countFault(count: number, from: number): Refused | undefined {
  const to = Math.min(limits.topicPartitionsMax, from - 1 + limits.changePartitionsMax);
  if (Number.isInteger(count) && count >= from && count <= to) return undefined;
  return refused('INVALID_PARTITIONS', `${count} partitions; expected ${from} to ${to}`, {
    partitions: count,
    from,
    to,
  });
}

/** A replication factor that the brokers cannot hold. */
export function factorFault(image: MetadataImage, factor: number): Refused | undefined {
  const brokers = placeableBrokers(image);
  const serving = brokers.filter(({ state }) => state === 'active').length;
  const to = Math.min(brokers.length, limits.replicationFactorMax / 2);
  if (serving > 0 && Number.isInteger(factor) && factor >= 1 && factor <= to) return undefined;
  const facts = { replicationFactor: factor, from: 1, to, brokers: brokers.length, serving };
  const range = to === 0 ? 'no broker can take replicas' : `expected 1 to ${to}`;
  const why = serving === 0 ? 'no broker serves' : range;
  return refused('INVALID_REPLICATION_FACTOR', `replication factor ${factor}; ${why}`, facts);
}

/** An explicit placement that cannot be. */
export function assignmentFault(
  image: MetadataImage,
  assignment: readonly (readonly NodeId[])[],
): Refused | undefined {
  for (const [partition, replicas] of assignment.entries()) {
    const no = (why: string): Refused =>
      refused('INVALID_REASSIGNMENT', `replicas of partition ${partition}: ${why}`, { partition });
    if (replicas.length < 1 || replicas.length > limits.replicationFactorMax / 2) {
      return no(`${replicas.length}; expected 1 to ${limits.replicationFactorMax / 2}`);
    }
    if (replicas.length !== assignment[0]?.length)
      return no('as many as the other partitions have');
    if (new Set(replicas).size < replicas.length)
      return no(`${replicas.join(',')} repeat a broker`);
    const stranger = replicas.find((node) => !image.brokers.has(node));
    if (stranger !== undefined) return no(`broker ${stranger} is not registered`);
    const serves = replicas.some((node) => image.brokers.get(node)?.state === 'active');
    if (!serves) return no(`none of ${replicas.join(',')} serves at present`);
  }
  return undefined;
}

/** Settings that are unknown, out of range, or too large for so many replicas (rule B3.19). */
export function configFault(
  config: ReadonlyMap<string, string>,
  replicas: number,
): Refused | undefined {
  for (const [name, value] of config) {
    const refusal = refusedTopicSetting(name, value);
    if (refusal !== undefined) return invalid(name, value, refusalText(refusal));
  }
  for (const name of ['min.insync.replicas', 'semi.sync.replicas']) {
    const value = config.get(name);
    if (value === undefined || value === 'majority' || Number(value) <= replicas) continue;
    const least = name === 'min.insync.replicas' ? 1 : 0;
    const text = `setting ${name}: ${value}; expected ${least} to ${replicas}, the replication factor`;
    return invalid(name, value, text);
  }
  return undefined;
}

function invalid(name: string, value: string, text: string): Refused {
  return refused('INVALID_CONFIG', text, {
    setting: name.slice(0, 255),
    value: value.slice(0, 255),
  });
}
