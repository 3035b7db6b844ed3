/**
 * The controller's own decisions in place of the twin, for one partition: what a walk asks is decided by
 * the production functions, replayed onto the image, and told to the brokers as their images tell it.
 * The twin's fields follow the image, so that the checks read both alike.
 */
import { partitionMetadata } from '../../../broker/partitions/partition-facts.ts';
import type { AnswerPromise, IsrProposal } from '../../../broker/replication/core/effects.ts';
import type { ProposalAnswer } from '../../../broker/replication/core/inputs.ts';
import { decideAlterPartitions } from '../../../controller/cluster/core/alter-partitions.ts';
import type { Outcome } from '../../../controller/cluster/core/decision.ts';
import { decideElections } from '../../../controller/cluster/core/elections.ts';
import { fence } from '../../../controller/cluster/core/fencing.ts';
import { decideHeartbeat } from '../../../controller/cluster/core/heartbeat.ts';
import type { PartitionProposal } from '../../../controller/cluster/core/isr-change.ts';
import { decideRegistration } from '../../../controller/cluster/core/registration.ts';
import { takeAnswers } from '../../../controller/cluster/core/rounds.ts';
import type { ClusterRules } from '../../../controller/cluster/core/rules.ts';
import {
  createUpkeep,
  defaultUpkeep,
  followImage,
  type UpkeepState,
} from '../../../controller/cluster/core/upkeep.ts';
import { deltaBetween } from '../../../proto/metadata/delta.ts';
import type { HostedPartition, MetadataImage } from '../../../proto/metadata/image.ts';
import { record } from '../../../proto/metadata/records.ts';
import { replay } from '../../../proto/metadata/replay.ts';
import {
  incarnationId,
  type NodeId,
  partitionNumber,
  storageId,
} from '../../../proto/model/ids.ts';
import { type BrokerEpoch, type Revision, revision } from '../../../proto/model/offset.ts';
import { InvariantChecker } from '../../controller/cluster/invariants.ts';
import { after, clusterOf, state, theTopic, uuid } from '../../proto/metadata/metadata-builders.ts';
import type { Controller, ControllerOptions } from './controller-twin.ts';
import { Violation } from './violation.ts';

export class ProductionController {
  image: MetadataImage;
  /** Of each version that was told. */
  readonly revisions: Revision[] = [];
  readonly #upkeep: UpkeepState;
  readonly #rules: ClusterRules;
  readonly #checker = new InvariantChecker();
  /** Counts directories and processes: each has a name of its own. */
  #names = 0;

  constructor(nodes: readonly NodeId[], options: ControllerOptions, rules: ClusterRules) {
    const { roundRules, minInsyncReplicas, semiSyncReplicas } = options;
    this.#rules = rules;
    this.#upkeep = createUpkeep({
      ...defaultUpkeep,
      graceMs: 0,
      ...(roundRules === undefined ? {} : { roundRules }),
    });
    const config = new Map([
      ['min.insync.replicas', `${minInsyncReplicas}`],
      ['semi.sync.replicas', `${semiSyncReplicas}`],
    ]);
    const partitions = [state([...nodes])];
    const created = { topicId: theTopic, name: 'orders', isInternal: false, config, partitions };
    this.image = after(clusterOf(...nodes), record('topicCreated', created));
  }

  /** The session of a broker ended. */
  fence(node: NodeId): boolean {
    const broker = this.image.brokers.get(node);
    if (broker === undefined || broker.state === 'fenced') return false;
    const { records, event } = fence(this.image, broker, { reason: 'walked' }, this.#rules);
    this.#commit({ kind: 'decided', records, events: [event], response: undefined });
    return true;
  }

  /** A heartbeat of some incarnation, which has applied so much: what it is due for is committed. */
  heartbeat(nodeId: NodeId, epoch: BrokerEpoch, applied: Revision): void {
    const storageStamp = this.image.brokers.get(nodeId)?.storageStamp ?? 0;
    const flags = { wantsShutdown: false, diskFailing: false };
    const request = { nodeId, brokerEpoch: epoch, revision: applied, storageStamp, ...flags };
    this.#commit(decideHeartbeat(this.image, request, false, this.#rules));
  }

  register(nodeId: NodeId, hasLostStorage: boolean): void {
    const before = this.image.brokers.get(nodeId);
    const name = ++this.#names;
    const request = {
      nodeId,
      incarnationId: incarnationId(uuid(1_000_000 + name)),
      storageId: hasLostStorage
        ? storageId(uuid(2_000_000 + name))
        : (before?.storageId ?? storageId(uuid(nodeId))),
      lastBrokerEpoch: before?.brokerEpoch,
      storageStamp: before?.storageStamp ?? 0,
      cleanStop: false,
      kernelChanged: false,
      rack: '',
      host: 'localhost',
      port: 9_000,
      peerHost: 'localhost',
      peerPort: 9_100,
      featureMin: 1,
      featureMax: 1,
      damaged: [],
    };
    this.#commit(decideRegistration(this.image, request, false, this.#rules));
  }

  propose(from: NodeId, asked: IsrProposal): ProposalAnswer {
    const { leaderEpoch, partitionEpoch, isr, semiSync, semiSyncReplicas } = asked;
    const outcome = this.#alter(from, asked.leaderBrokerEpoch, {
      leaderEpoch,
      partitionEpoch,
      isr,
      semiSync: semiSync === 'keep' ? 'unspecified' : semiSync,
      semiSyncReplicas,
    });
    const current = this.#hosted().partition.partitionEpoch;
    if (outcome.kind === 'refused') return { kind: 'rejected', partitionEpoch: current };
    const [answer] = outcome.response;
    if (answer === undefined) return { kind: 'unknown' };
    return answer.code === '' ? { ...answer, kind: 'accepted' } : { ...answer, kind: 'rejected' };
  }

  /** The leader of this epoch says that it may not lead. */
  resign(from: NodeId, epoch: BrokerEpoch, leaderEpoch: IsrProposal['leaderEpoch']): void {
    this.#alter(from, epoch, { leaderEpoch, resigns: true });
  }

  answer(nodeId: NodeId, answered: AnswerPromise): void {
    const { leaderEpoch, verifiedEpoch, storedEnd, isSuspect: suspect } = answered;
    const partition = partitionNumber(0);
    const answer = { topicId: theTopic, partition, leaderEpoch, verifiedEpoch, storedEnd, suspect };
    const from = { nodeId, brokerEpoch: answered.brokerEpoch };
    takeAnswers(this.#upkeep.rounds, this.image, from, [answer]);
  }

  /** Judges the open round. */
  elect(): void {
    const { rounds } = this.#upkeep;
    this.#commit(decideElections(rounds, this.image, rounds.open.values(), 0));
  }

  /** The twin's fields as the image has them, and the image as brokers are told it. */
  tell(controller: Controller): void {
    if (this.revisions.at(-1) === this.image.revision) return;
    const { topic, partition } = this.#hosted();
    controller.leader = partition.leader;
    controller.leaderEpoch = partition.leaderEpoch;
    controller.partitionEpoch = partition.partitionEpoch;
    controller.isr = partition.isr;
    controller.elr = partition.elr;
    controller.semiSyncMembers = partition.semiSyncMembers;
    controller.suspects = partition.suspects;
    for (const { nodeId, brokerEpoch: epoch } of this.image.brokers.values()) {
      controller.registered.set(nodeId, epoch);
    }
    controller.versions.push(partitionMetadata(this.image, topic, partition));
    this.revisions.push(this.image.revision);
  }

  #alter(nodeId: NodeId, epoch: BrokerEpoch, change: Partial<PartitionProposal>) {
    const { partitionEpoch, leaderEpoch } = this.#hosted().partition;
    const proposal: PartitionProposal = {
      topicId: theTopic,
      partition: partitionNumber(0),
      leaderEpoch,
      partitionEpoch,
      isr: [],
      semiSync: 'unspecified',
      semiSyncReplicas: 0,
      resigns: false,
      reason: '',
      evidence: new Map(),
      ...change,
    };
    const request = { nodeId, brokerEpoch: epoch, partitions: [proposal] };
    const outcome = decideAlterPartitions(this.image, request, this.#rules);
    this.#commit(outcome);
    return outcome;
  }

  #commit(outcome: Outcome<unknown>): void {
    if (outcome.kind === 'refused' || outcome.records.length === 0) return;
    const next = replay(this.image, revision(this.image.revision + 1), outcome.records);
    if (next.refused !== undefined) throw new Violation(`S10 ${next.refused.reason}`);
    const delta = deltaBetween(this.image, next.image);
    this.image = next.image;
    this.#checker.check(this.image);
    followImage(this.#upkeep, delta, 0);
  }

  #hosted(): HostedPartition {
    const topic = this.image.topics.get(theTopic);
    const partition = topic?.partitions.get(partitionNumber(0));
    if (topic === undefined || partition === undefined) throw new Error('the partition is gone');
    return { topic, partition };
  }
}
