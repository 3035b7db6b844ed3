/**
 * The controller's own work without its quorum: decide, encode, replay, tell what changed; and one
 * subscriber that decodes and replays the same bytes, as each broker does.
 */
import type { Outcome } from '../../controller/cluster/core/decision.ts';
import { decideElections } from '../../controller/cluster/core/elections.ts';
import { fence } from '../../controller/cluster/core/fencing.ts';
import { decideHeartbeat } from '../../controller/cluster/core/heartbeat.ts';
import { decideRegistration } from '../../controller/cluster/core/registration.ts';
import { takeAnswers } from '../../controller/cluster/core/rounds.ts';
import { decideCreateTopic } from '../../controller/cluster/core/topics.ts';
import {
  createUpkeep,
  defaultUpkeep,
  followImage,
  type UpkeepState,
} from '../../controller/cluster/core/upkeep.ts';
import { PromiseAnswersRequest } from '../../proto/generated/highwater/peer/v1/control.ts';
import { deltaBetween } from '../../proto/metadata/delta.ts';
import { emptyImage, type MetadataImage, partitionsOn } from '../../proto/metadata/image.ts';
import { eachRecord, encodeRecords } from '../../proto/metadata/records.ts';
import { replay } from '../../proto/metadata/replay.ts';
import { incarnationId, type NodeId, nodeId, storageId, topicId } from '../../proto/model/ids.ts';
import { offset, revision } from '../../proto/model/offset.ts';

/** One broker lost, until its leaderships had moved. */
interface Loss {
  readonly ms: number;
  readonly moved: number;
}

export class SimulatedController {
  image: MetadataImage = emptyImage;
  /** What a broker that follows has folded; kept equal to `image` by `publish`. */
  subscriber: MetadataImage = emptyImage;
  /** Bytes of all committed records. */
  bytes = 0;
  readonly #upkeep: UpkeepState = createUpkeep(defaultUpkeep);
  #unpublished: { bytes: Uint8Array; at: MetadataImage['revision'] }[] = [];
  #topics = 0;

  constructor(brokers: number) {
    for (let id = 1; id <= brokers; id++) this.startBroker(id, 1);
  }

  startBroker(id: number, incarnation: number): void {
    const node = nodeId(id);
    const before = this.image.brokers.get(node);
    const request = {
      nodeId: node,
      incarnationId: incarnationId(uuid(id * 1000 + incarnation)),
      storageId: storageId(uuid(id)),
      lastBrokerEpoch: before?.brokerEpoch,
      storageStamp: 0,
      cleanStop: false,
      kernelChanged: false,
      rack: `rack-${id % 3}`,
      host: '127.0.0.1',
      port: 9092,
      peerHost: '127.0.0.1',
      peerPort: 9093,
      featureMin: 0,
      featureMax: 1,
      damaged: [],
    };
    this.#commit(decideRegistration(this.image, request, false));
    const brokerEpoch = this.image.brokers.get(node)?.brokerEpoch;
    if (brokerEpoch === undefined) throw new Error('a registration gives an epoch');
    const { revision: at } = this.image;
    const beat = { wantsShutdown: false, storageStamp: 0, diskFailing: false };
    this.#commit(
      decideHeartbeat(this.image, { nodeId: node, brokerEpoch, revision: at, ...beat }, false),
    );
  }

  createTopic(partitions: number, random: number): void {
    const number = this.#topics++;
    this.#commit(
      decideCreateTopic(
        this.image,
        {
          name: `topic-${number}`,
          partitions,
          replicationFactor: 3,
          config: new Map(),
          assignment: [],
          validateOnly: false,
          isInternal: false,
        },
        { topicId: topicId(uuid(1_000_000 + number)), random },
      ),
    );
  }

  /**
   * Fences a broker and lets the others answer its rounds, as messages. When it returns the subscriber
   * has the new leaders too. The time that the other brokers take for their answers is not counted.
   */
  loseBroker(id: number): Loss {
    const started = performance.now();
    let elsewhereMs = 0;
    const broker = this.image.brokers.get(nodeId(id));
    if (broker === undefined) throw new Error(`broker ${id} is registered`);
    const { records } = fence(this.image, broker, { reason: 'bench' });
    this.#commit({ kind: 'decided', records, response: undefined, events: [] });
    this.publish();
    const rounds = this.image.leaderlessCount;
    for (const other of this.image.brokers.values()) {
      if (other.state !== 'active') continue;
      const asked = performance.now();
      const message = Buffer.concat(this.#answersOf(other.nodeId));
      elsewhereMs += performance.now() - asked;
      const { nodeId: from, brokerEpoch, answers } = PromiseAnswersRequest.decode(message);
      const touched = takeAnswers(
        this.#upkeep.rounds,
        this.image,
        { nodeId: from, brokerEpoch },
        answers,
      );
      this.#commit(decideElections(this.#upkeep.rounds, this.image, touched, 0));
    }
    this.publish();
    const moved = rounds - this.image.leaderlessCount;
    return { ms: performance.now() - started - elsewhereMs, moved };
  }

  /** Gives the subscriber what was committed since. */
  publish(): void {
    for (const { bytes, at } of this.#unpublished) {
      const { image, refused } = replay(this.subscriber, at, eachRecord(bytes));
      if (refused !== undefined) throw new Error(refused.reason);
      this.subscriber = image;
    }
    this.#unpublished = [];
  }

  #answersOf(node: NodeId): readonly Uint8Array[] {
    const brokerEpoch = this.subscriber.brokers.get(node)?.brokerEpoch;
    if (brokerEpoch === undefined) throw new Error('a broker that answers is registered');
    const answers = [];
    for (const { topic, partition } of partitionsOn(this.subscriber, node)) {
      if (partition.leader !== undefined) continue;
      const { leaderEpoch } = partition;
      answers.push({
        topicId: topic.topicId,
        partition: partition.partition,
        leaderEpoch,
        verifiedEpoch: leaderEpoch,
        storedEnd: offset(1000),
        suspect: false,
      });
    }
    return PromiseAnswersRequest.encode({ nodeId: node, brokerEpoch, answers });
  }

  #commit<Response>(outcome: Outcome<Response>): void {
    if (outcome.kind === 'refused') throw new Error(outcome.message);
    if (outcome.records.length === 0) return;
    const bytes = encodeRecords(outcome.records);
    this.bytes += bytes.length;
    const at = revision(this.image.revision + 1);
    const { image, refused } = replay(this.image, at, outcome.records);
    if (refused !== undefined) throw new Error(refused.reason);
    followImage(this.#upkeep, deltaBetween(this.image, image), 0);
    this.image = image;
    this.#unpublished.push({ bytes, at });
  }
}

function uuid(n: number): string {
  const hex = Math.imul(n, 0x9e3779b1) >>> 0;
  return `${hex.toString(16).padStart(8, '0')}-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
}
