/**
 * One member's stream: its hello, what it holds, its heartbeats, and what it is told to hold. While the
 * stream speaks the member lives; when it closes the shard waits for it to come back.
 *
 * Invariant: at most one assignment waits for a member that does not read. A later one takes its place,
 * since it says everything that the member may hold; heartbeats are not answered meanwhile.
 */
import type {
  CoordinatorMessage,
  MemberHello,
  MemberMessage,
  TopicPartitions,
} from '../../proto/generated/highwater/v1/group.ts';
import type { MetadataImage } from '../../proto/metadata/image.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import type { PartitionNumber, TopicId } from '../../proto/model/ids.ts';
import type { RpcStream, RpcStreamHandlers } from '../../proto/ports/rpc.ts';
import { type PartitionKey, partitionKey, placeOf } from '../group/core/group-state.ts';
import type { GroupCoordinator } from '../group/group-coordinator.ts';
import type { GroupShard } from '../group/group-shard.ts';
import type { MemberLine } from '../group/member-sessions.ts';
import { checkClientName } from './client-name.ts';

export interface MemberStreamOptions {
  readonly coordinator: GroupCoordinator;
  readonly image: () => MetadataImage;
  /** Throws unless the caller may consume with this group. */
  allow(group: string): void;
}

const sessionMsDefault = 15_000;

export class MemberStream {
  readonly #stream: RpcStream<CoordinatorMessage>;
  readonly #options: MemberStreamOptions;
  #joined:
    | { readonly shard: GroupShard; readonly group: string; readonly member: string }
    | undefined;

  #hasRoom = true;
  /** The assignment that waits for room. */
  #waiting: CoordinatorMessage | undefined;

  constructor(stream: RpcStream<CoordinatorMessage>, options: MemberStreamOptions) {
    this.#stream = stream;
    this.#options = options;
  }

  readonly handlers: RpcStreamHandlers<MemberMessage> = {
    onMessage: ({ message }) => this.#onMessage(message),
    onDrain: () => {
      this.#hasRoom = true;
      const waiting = this.#waiting;
      this.#waiting = undefined;
      if (waiting !== undefined) this.#send(waiting);
    },
    onEnd: () => this.#stream.end(),
    onClose: () => {
      const joined = this.#joined;
      this.#joined = undefined;
      joined?.shard.disconnected(joined.group, joined.member, this.#line);
    },
  };

  readonly #line: MemberLine = {
    assign: (generation, partitions) => {
      const value = {
        generation,
        partitions: assignmentMessage(this.#options.image(), partitions),
      };
      const message: CoordinatorMessage = { message: { kind: 'assignment', value } };
      if (this.#hasRoom) this.#send(message);
      else this.#waiting = message;
    },
    end: (error) => {
      this.#joined = undefined;
      if (error === undefined) this.#stream.end();
      else this.#stream.cancel(error);
    },
  };

  #send(message: CoordinatorMessage): void {
    this.#hasRoom = this.#stream.send(message);
  }

  #onMessage(message: MemberMessage['message']): void {
    if (message === undefined) return;
    if (message.kind === 'hello') return this.#hello(message.value);
    const joined = this.#joined;
    if (joined === undefined) return;
    const { shard, group, member } = joined;
    switch (message.kind) {
      case 'owned': {
        const { generation } = message.value;
        const partitions = keysIn(message.value.partitions);
        return shard.owned(group, { member, generation, partitions });
      }
      case 'heartbeat':
        shard.heard(group, member);
        if (this.#hasRoom) this.#send({ message: { kind: 'heartbeat', value: {} } });
        return;
      case 'leave':
        return shard.leave(group, member);
    }
  }

  #hello(hello: MemberHello): void {
    try {
      const { group, member, instance, rack, assignor } = hello;
      this.#options.allow(group);
      const names = { member, instance, rack, host: hello.clientHost };
      for (const [what, name] of Object.entries(names)) checkClientName(what, name, 0);
      const shard = this.#options.coordinator.shardOf(group);
      const joining = {
        member,
        instance,
        rack,
        assignor,
        clientHost: hello.clientHost,
        subscription: { topics: [...new Set(hello.topics)].sort(), pattern: hello.topicPattern },
        sessionTimeoutMs: hello.sessionTimeoutMs === 0 ? sessionMsDefault : hello.sessionTimeoutMs,
      };
      shard.join(group, joining, this.#line);
      this.#joined = { shard, group, member };
    } catch (error) {
      this.#stream.cancel(HighwaterError.from(error));
    }
  }
}

/** Partitions by topic, as they travel. */
export function topicPartitionsOf(
  image: MetadataImage,
  keys: Iterable<PartitionKey>,
): TopicPartitions[] {
  return assignmentMessage(image, new Map(Array.from(keys, (key) => [key, 0]))).map((one) => ({
    ...one,
    given: [],
  }));
}

function assignmentMessage(
  image: MetadataImage,
  partitions: ReadonlyMap<PartitionKey, number>,
): TopicPartitions[] {
  const byTopic = new Map<TopicId, { partitions: PartitionNumber[]; given: number[] }>();
  for (const [key, generation] of partitions) {
    const { topicId, partition } = placeOf(key);
    const entry = byTopic.get(topicId) ?? { partitions: [], given: [] };
    byTopic.set(topicId, entry);
    entry.partitions.push(partition);
    entry.given.push(generation);
  }
  return Array.from(byTopic, ([topicId, entry]) => ({
    topicId,
    topic: image.topics.get(topicId)?.name ?? '',
    ...entry,
  }));
}

function keysIn(parts: readonly TopicPartitions[]): Set<PartitionKey> {
  return new Set(
    parts.flatMap(({ topicId, partitions }) =>
      partitions.map((partition) => partitionKey(topicId, partition)),
    ),
  );
}
