import {
  decideAlterPartitions,
  type ProposalAnswer,
} from '../../../controller/cluster/core/alter-partitions.ts';
import type { Decided, Outcome, Refused } from '../../../controller/cluster/core/decision.ts';
import { decideElections } from '../../../controller/cluster/core/elections.ts';
import {
  decideHeartbeat,
  type Heartbeat,
  type HeartbeatAnswer,
} from '../../../controller/cluster/core/heartbeat.ts';
import type { PartitionProposal } from '../../../controller/cluster/core/isr-change.ts';
import {
  decideRegistration,
  type Registration,
} from '../../../controller/cluster/core/registration.ts';
import { takeAnswers } from '../../../controller/cluster/core/rounds.ts';
import { type ClusterRules, everyClusterRule } from '../../../controller/cluster/core/rules.ts';
import { type CreateTopic, decideCreateTopic } from '../../../controller/cluster/core/topics.ts';
import {
  createUpkeep,
  decideUpkeep,
  defaultUpkeep,
  followImage,
  isUpkeepDue,
  type UpkeepOptions,
} from '../../../controller/cluster/core/upkeep.ts';
import { deltaBetween } from '../../../proto/metadata/delta.ts';
import {
  emptyImage,
  type MetadataImage,
  type TopicImage,
  topicNamed,
} from '../../../proto/metadata/image.ts';
import type { PartitionState } from '../../../proto/metadata/records.ts';
import { replay } from '../../../proto/metadata/replay.ts';
import {
  incarnationId,
  nodeId,
  partitionNumber,
  storageId,
  topicId,
} from '../../../proto/model/ids.ts';
import { brokerEpoch, leaderEpoch, offset, revision } from '../../../proto/model/offset.ts';
import { clusterOf, uuid } from '../../proto/metadata/metadata-builders.ts';
import { Violation } from '../../scenario/replication/violation.ts';

/** A controller without its log: what is decided is committed at once. */
export class DecisionWorld {
  image: MetadataImage;
  nowMs = 0;
  /** Every rule holds, unless a test breaks one. */
  rules: ClusterRules = everyClusterRule;
  readonly upkeep;
  readonly events: Decided<unknown>['events'][number][] = [];
  #topics = 0;

  constructor(brokers: number[] = [1, 2, 3], options: Partial<UpkeepOptions> = {}) {
    this.upkeep = createUpkeep({ ...defaultUpkeep, ...options });
    this.image = clusterOf(...brokers);
    followImage(this.upkeep, deltaBetween(emptyImage, this.image), 0);
  }

  /** Commits a decision; a refusal, or a bad change, fails the test. */
  commit<Response>(outcome: Outcome<Response>): Response {
    if (outcome.kind === 'refused') throw new Error(`${outcome.code}: ${outcome.message}`);
    if (outcome.records.length > 0) {
      const next = replay(this.image, revision(this.image.revision + 1), outcome.records);
      if (next.refused !== undefined) throw new Violation(`S10 ${next.refused.reason}`);
      const delta = deltaBetween(this.image, next.image);
      this.image = next.image;
      followImage(this.upkeep, delta, this.nowMs);
    }
    this.events.push(...outcome.events);
    return outcome.response;
  }

  /** Does all upkeep that is due; returns the number of changes. */
  settle(): number {
    for (let changes = 0; ; changes++) {
      const isDue = isUpkeepDue(this.upkeep, this.image, this.nowMs);
      const decision = decideUpkeep(this.upkeep, this.image, this.nowMs);
      if (!isDue && decision.records.length + decision.events.length > 0)
        throw new Error('something was due and nobody knew');
      if (decision.records.length === 0 && decision.events.length === 0) return changes;
      if (changes > 1000) throw new Error('upkeep never ends');
      this.commit(decision);
    }
  }

  createTopic(name: string, request: Partial<CreateTopic> = {}): TopicImage {
    const id = topicId(uuid(5000 + this.#topics++));
    this.commit(
      decideCreateTopic(
        this.image,
        {
          name,
          partitions: undefined,
          replicationFactor: undefined,
          config: new Map(),
          assignment: [],
          validateOnly: false,
          isInternal: false,
          ...request,
        },
        { topicId: id, random: 0 },
      ),
    );
    return this.topic(name);
  }

  topic(name: string): TopicImage {
    const topic = topicNamed(this.image, name);
    if (topic === undefined) throw new Error(`no topic ${name}`);
    return topic;
  }

  partition(name: string, number = 0): PartitionState {
    const partition = this.topic(name).partitions.get(partitionNumber(number));
    if (partition === undefined) throw new Error(`no partition ${name}/${number}`);
    return partition;
  }

  broker(id: number) {
    const broker = this.image.brokers.get(nodeId(id));
    if (broker === undefined) throw new Error(`no broker ${id}`);
    return broker;
  }

  heartbeat(id: number, change: Partial<Heartbeat> = {}, renewsStamp = false): HeartbeatAnswer {
    const { brokerEpoch, storageStamp } = this.broker(id);
    return this.commit(
      decideHeartbeat(
        this.image,
        {
          nodeId: nodeId(id),
          brokerEpoch,
          revision: this.image.revision,
          wantsShutdown: false,
          storageStamp,
          diskFailing: false,
          ...change,
        },
        renewsStamp,
      ),
    );
  }

  register(id: number, incarnation: number, change: Partial<Registration> = {}, isLive = false) {
    return decideRegistration(this.image, this.registration(id, incarnation, change), isLive);
  }

  /** A restart whose storage is as it was. */
  registration(id: number, incarnation: number, change: Partial<Registration> = {}): Registration {
    const before = this.image.brokers.get(nodeId(id));
    return {
      nodeId: nodeId(id),
      incarnationId: incarnationId(uuid(id * 1000 + incarnation)),
      storageId: storageId(uuid(id)),
      lastBrokerEpoch: before?.brokerEpoch,
      storageStamp: before?.storageStamp ?? 0,
      cleanStop: false,
      kernelChanged: false,
      rack: `rack-${id}`,
      host: 'localhost',
      port: 9000 + id,
      peerHost: 'localhost',
      peerPort: 9100 + id,
      featureMin: 1,
      featureMax: 1,
      damaged: [],
      ...change,
    };
  }

  /** A restart up to the point where the broker serves again. */
  restart(id: number, incarnation: number, change: Partial<Registration> = {}): void {
    this.commit(this.register(id, incarnation, change));
    this.heartbeat(id);
  }

  /** What a leader proposes for its partition, on the epochs that are committed. */
  proposal(
    name: string,
    isr: number[],
    change: Partial<PartitionProposal> = {},
  ): PartitionProposal {
    const state = this.partition(name);
    return {
      topicId: this.topic(name).topicId,
      partition: state.partition,
      leaderEpoch: state.leaderEpoch,
      partitionEpoch: state.partitionEpoch,
      isr: isr.map((id) => ({
        nodeId: nodeId(id),
        brokerEpoch: this.image.brokers.get(nodeId(id))?.brokerEpoch ?? brokerEpoch(0),
      })),
      semiSync: 'unspecified',
      semiSyncReplicas: 0,
      resigns: false,
      reason: 'test',
      evidence: new Map(),
      ...change,
    };
  }

  /** Sends one proposal as its leader, or as another broker. */
  propose(proposal: PartitionProposal, as?: number): ProposalAnswer {
    const topic = this.image.topics.get(proposal.topicId);
    const sender = as ?? topic?.partitions.get(proposal.partition)?.leader ?? 1;
    const request = {
      nodeId: nodeId(sender),
      brokerEpoch: this.broker(sender).brokerEpoch,
      partitions: [proposal],
    };
    const [answer] = this.commit(decideAlterPartitions(this.image, request));
    if (answer === undefined) throw new Error('no answer');
    return answer;
  }

  /** A replica answers the open round; what is decided by it is committed. */
  answer(name: string, id: number, verified: number, end: number): void {
    const state = this.partition(name);
    const from = { nodeId: nodeId(id), brokerEpoch: this.broker(id).brokerEpoch };
    const touched = takeAnswers(this.upkeep.rounds, this.image, from, [
      {
        topicId: this.topic(name).topicId,
        partition: state.partition,
        leaderEpoch: state.leaderEpoch,
        verifiedEpoch: leaderEpoch(verified),
        storedEnd: offset(end),
        suspect: false,
      },
    ]);
    this.commit(decideElections(this.upkeep.rounds, this.image, touched, this.nowMs));
  }

  /** Lets the grace of decided rounds pass. */
  passGrace(): void {
    this.nowMs += this.upkeep.options.graceMs;
    this.commit(
      decideElections(this.upkeep.rounds, this.image, this.upkeep.rounds.open.values(), this.nowMs),
    );
  }
}

/** The refusal, or a failed test. */
export function refusal(outcome: Outcome<unknown>): Refused {
  if (outcome.kind === 'decided') throw new Error('decided, and should have been refused');
  return outcome;
}
