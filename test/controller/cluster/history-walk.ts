/**
 * Random histories of a controller's decisions, one seed each: requests that make sense and others, of
 * brokers that restart, fall silent and come back, while replicas are moved. After every change the sets
 * and epochs are checked, and that a reassignment is as careful as it has to be.
 */
import type { Outcome } from '../../../controller/cluster/core/decision.ts';
import { decideHeartbeat } from '../../../controller/cluster/core/heartbeat.ts';
import { type ClusterRules, everyClusterRule } from '../../../controller/cluster/core/rules.ts';
import type { MetadataImage } from '../../../proto/metadata/image.ts';
import { minimumOf } from '../../../proto/metadata/partition-fault.ts';
import type { PartitionState } from '../../../proto/metadata/records.ts';
import { nodeId } from '../../../proto/model/ids.ts';
import type { BrokerEpoch } from '../../../proto/model/offset.ts';
import { SeededRandom } from '../../../proto/ports/memory/seeded-random.ts';
import { Violation } from '../../scenario/replication/violation.ts';
import { DecisionWorld } from './decision-world.ts';
import { InvariantChecker } from './invariants.ts';
import { type Draw, decideDraw } from './random-cluster.ts';

export interface HistoryOptions {
  readonly steps: number;
  /** The rule to break; undefined: the product as it is. */
  readonly broken?: keyof ClusterRules | undefined;
}

/** Walks from one seed. Throws a `Violation` when something that must hold does not. */
export function walkHistory(seed: number, { steps, broken }: HistoryOptions): DecisionWorld {
  const rules = broken === undefined ? everyClusterRule : { ...everyClusterRule, [broken]: false };
  const world = new DecisionWorld([1, 2, 3, 4], {
    movesMax: 3,
    reassignmentsMax: 2,
    balanceMs: 500,
  });
  world.rules = rules;
  world.createTopic('orders', { partitions: 2, replicationFactor: 3 });
  const random = new SeededRandom(seed);
  const checker = new InvariantChecker();
  for (let step = 0; step < steps; step++) {
    const draw = drawFrom(random);
    const before = world.image;
    const outcome = decideDraw(world, draw, step);
    if (outcome?.kind === 'decided') {
      checkMoves(before, outcome, draw.action === reassignment);
      world.commit(outcome);
    }
    if (outcome === undefined) world.settle();
    checker.check(world.image);
    checkEarlierWord(world, nodeId((draw.b % 4) + 1));
  }
  return world;
}

/** Of `decideDraw`. */
const reassignment = 7;

function drawFrom(random: SeededRandom): Draw {
  const below = (count: number) => random.below(count);
  return {
    action: below(20),
    a: below(8),
    b: below(8),
    c: below(8),
    nodes: Array.from({ length: below(6) }, () => 1 + below(6)),
  };
}

/**
 * B3.16: what a reassignment does by itself, which is all of its own decision and what follows on
 * another's record, leaves the minimum in sync, and drops nobody before all added ones are in sync.
 */
function checkMoves(image: MetadataImage, outcome: Outcome<unknown>, isOwn: boolean): void {
  if (outcome.kind === 'refused') return;
  const known = new Map<string, PartitionState>();
  for (const { body } of outcome.records) {
    const isStep = body?.kind === 'partitionChanged' || body?.kind === 'partitionElected';
    if (!isStep || body.value.state === undefined) continue;
    const { topicId, state } = body.value;
    const topic = image.topics.get(topicId);
    const key = `${topicId}/${state.partition}`;
    const follows = known.get(key);
    const before = follows ?? topic?.partitions.get(state.partition);
    known.set(key, state);
    if (topic === undefined || before === undefined || !(isOwn || follows !== undefined)) continue;
    const isSmaller = state.isr.length < before.isr.length;
    if (isSmaller && state.isr.length < minimumOf(topic, state)) {
      throw new Violation(`B3.16 ${topic.name}: a reassignment leaves ${state.isr.join()} in sync`);
    }
    const isTurned = before.adding.length > 0 && state.adding.length === 0;
    const isCancelled = before.adding.every((node) => state.removing.includes(node));
    if (isTurned && !isCancelled && !before.adding.every((node) => before.isr.includes(node))) {
      throw new Violation(`B3.16 ${topic.name}: ${before.adding.join()} are not all in sync`);
    }
  }
}

/** B3.2, B3.9: a word of an earlier incarnation, late by any time, changes nothing. */
function checkEarlierWord({ image, rules }: DecisionWorld, id: ReturnType<typeof nodeId>): void {
  const broker = image.brokers.get(id);
  if (broker === undefined) return;
  const request = {
    nodeId: id,
    brokerEpoch: (broker.brokerEpoch - 1) as BrokerEpoch,
    revision: image.revision,
    storageStamp: broker.storageStamp,
    wantsShutdown: false,
    diskFailing: true,
  };
  const outcome = decideHeartbeat(image, request, false, rules);
  if (outcome.kind === 'decided' && outcome.records.length > 0) {
    throw new Violation(`B3.2 an earlier incarnation of broker ${id} had it fenced`);
  }
}
