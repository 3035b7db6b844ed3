import fc from 'fast-check';
import { decideAlterPartitions } from '../../../controller/cluster/core/alter-partitions.ts';
import type { Outcome } from '../../../controller/cluster/core/decision.ts';
import { decideElections } from '../../../controller/cluster/core/elections.ts';
import { decideHeartbeat } from '../../../controller/cluster/core/heartbeat.ts';
import { decideIntent } from '../../../controller/cluster/core/intents.ts';
import { decideElectLeader } from '../../../controller/cluster/core/operator-election.ts';
import { decideReassignment } from '../../../controller/cluster/core/reassignment.ts';
import { decideRegistration } from '../../../controller/cluster/core/registration.ts';
import { takeAnswers } from '../../../controller/cluster/core/rounds.ts';
import { listen } from '../../../controller/cluster/core/sessions.ts';
import { decideAlterTopic } from '../../../controller/cluster/core/topic-config.ts';
import {
  decideAddPartitions,
  decideCreateTopic,
  decideDeleteTopic,
} from '../../../controller/cluster/core/topics.ts';
import { nodeId, partitionNumber, storageId, topicId } from '../../../proto/model/ids.ts';
import {
  brokerEpoch,
  leaderEpoch,
  offset,
  partitionEpoch,
  revision,
} from '../../../proto/model/offset.ts';
import { uuid } from '../../proto/metadata/metadata-builders.ts';
import type { DecisionWorld } from './decision-world.ts';

/** A request as numbers, so that any of them, sensible or not, can be drawn and shrunk. */
export interface Draw {
  readonly action: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly nodes: readonly number[];
}

export const draws: fc.Arbitrary<Draw> = fc.record({
  action: fc.nat(19),
  a: fc.nat(7),
  b: fc.nat(7),
  c: fc.nat(7),
  nodes: fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 5 }),
});

const names = ['orders', 'bills', '', 'a.b', 'a_b', '__x'];
const settings: readonly (readonly [string, string])[] = [
  ['min.insync.replicas', '1'],
  ['min.insync.replicas', '2'],
  ['min.insync.replicas', '3'],
  ['semi.sync.replicas', '2'],
  ['unclean.recovery', 'longest'],
  ['flush', 'os'],
  ['retention.ms', 'soon'],
  ['nonsense', '1'],
];

/** The decision that a draw stands for, on the image as it is; undefined: time passes instead. */
export function decideDraw(
  world: DecisionWorld,
  draw: Draw,
  step: number,
): Outcome<unknown> | undefined {
  const { image, rules } = world;
  const { action, a, b, c } = draw;
  const id = nodeId((a % 6) + 1);
  const epoch = image.brokers.get(id)?.brokerEpoch ?? brokerEpoch(0);
  const name = names[b < 5 ? b % 2 : b % 6] ?? '';
  const number = partitionNumber(c % 3);
  const setting = settings[c] ?? ['flush', 'ack'];
  switch (action) {
    case 0: {
      const storage = b === 0 ? { storageId: storageId(uuid(10_000 + step)) } : {};
      const older = b === 1 ? { lastBrokerEpoch: brokerEpoch(0) } : {};
      const crash = { kernelChanged: b === 2, cleanStop: c === 0 };
      const request = world.registration(id, step + 10, { ...storage, ...older, ...crash });
      return decideRegistration(image, request, c % 2 === 0, rules);
    }
    case 1:
    case 2:
    case 3: {
      const flags = { wantsShutdown: action === 3 && b < 2, diskFailing: action === 2 && b < 2 };
      const stamp = (image.brokers.get(id)?.storageStamp ?? 0) + (c === 0 ? 1 : 0);
      const at = c === 7 ? revision(0) : image.revision;
      const request = {
        nodeId: id,
        brokerEpoch: epoch,
        revision: at,
        storageStamp: stamp,
        ...flags,
      };
      return decideHeartbeat(image, request, true, rules);
    }
    case 4: {
      const replicas = draw.nodes.map(nodeId);
      const assignment = a === 0 ? [replicas] : [];
      const config = new Map(a === 1 ? [setting] : []);
      const request = {
        name,
        partitions: a === 0 ? undefined : c,
        replicationFactor: a === 0 ? undefined : (b % 4) + (a === 2 ? 0 : 1),
        config,
        assignment,
        validateOnly: a === 7,
        isInternal: false,
      };
      return decideCreateTopic(image, request, {
        topicId: topicId(uuid(20_000 + step)),
        random: c / 8,
      });
    }
    case 5:
      return a === 0 && c === 0
        ? decideDeleteTopic(image, name)
        : decideAddPartitions(image, { name, total: c }, a / 8);
    case 6: {
      const set = new Map(a < 6 ? [setting] : []);
      return decideAlterTopic(image, { name, set, reset: a >= 6 ? [setting[0]] : [] });
    }
    case 7:
      return decideReassignment(
        image,
        { topic: name, partition: number, replicas: draw.nodes.map(nodeId) },
        rules,
      );
    case 8: {
      const intent = (['serve', 'drain', 'remove', 'serve'] as const)[b % 4] ?? 'serve';
      return decideIntent(image, id, intent);
    }
    case 9: {
      const request = {
        topic: name,
        partition: number,
        unclean: a === 1,
        dryRun: a === 2,
        leader: b === 0 ? undefined : id,
      };
      return decideElectLeader(image, world.upkeep.rounds, request);
    }
    case 10:
      world.nowMs += 40 * a;
      listen(world.upkeep.sessions, 40 * a * b);
      return undefined;
    case 11:
    case 12:
    case 13:
    case 14:
      return answerDraw(world, draw);
    default:
      return proposalDraw(world, draw, name, number);
  }
}

/** Some broker answers every open round that it knows of. */
function answerDraw(world: DecisionWorld, { a, b, c, nodes }: Draw): Outcome<unknown> {
  const id = nodeId((a % 6) + 1);
  const brokerEpochNow = world.image.brokers.get(id)?.brokerEpoch ?? brokerEpoch(0);
  const from = { nodeId: id, brokerEpoch: b === 7 ? brokerEpoch(1) : brokerEpochNow };
  const answers = [...world.upkeep.rounds.open.values()].map((round) => ({
    topicId: round.topicId,
    partition: round.partition,
    leaderEpoch: leaderEpoch(c === 7 ? 1 : round.leaderEpoch),
    verifiedEpoch: leaderEpoch(b),
    storedEnd: offset(nodes.length + c),
    suspect: b === 6 && c === 6,
  }));
  const touched = takeAnswers(world.upkeep.rounds, world.image, from, answers);
  return decideElections(world.upkeep.rounds, world.image, touched, world.nowMs);
}

/** A leader, or somebody who thinks so, proposes. */
function proposalDraw(
  world: DecisionWorld,
  draw: Draw,
  name: string,
  number: number,
): Outcome<unknown> {
  const { image } = world;
  const { action, a, b, c, nodes } = draw;
  const topic = [...image.topics.values()].find((one) => one.name === name);
  const state = topic?.partitions.get(partitionNumber(number));
  const sender = a === 7 ? nodeId(2) : (state?.leader ?? nodeId(1));
  const members =
    action < 17 ? [...(state?.isr ?? []), ...nodes.slice(0, 1).map(nodeId)] : nodes.map(nodeId);
  const semi = (['unspecified', 'open', 'settle', 'close'] as const)[action === 19 ? b % 4 : 0];
  const set =
    action === 19
      ? (state?.isr ?? [])
      : [
          ...new Set(
            action === 18 && state?.leader !== undefined ? [state.leader, ...members] : members,
          ),
        ];
  const proposal = {
    topicId: topic?.topicId ?? topicId(uuid(1)),
    partition: partitionNumber(number),
    leaderEpoch: leaderEpoch(Math.max(0, (state?.leaderEpoch ?? 0) + (c === 7 ? -1 : 0))),
    partitionEpoch: partitionEpoch((state?.partitionEpoch ?? 0) + (c === 6 ? 1 : 0)),
    isr: set.map((node) => ({
      nodeId: node,
      brokerEpoch: image.brokers.get(node)?.brokerEpoch ?? brokerEpoch(0),
    })),
    semiSync: semi ?? 'unspecified',
    semiSyncReplicas: b,
    handedOverTo: action === 17 && b < 3 ? state?.successor : undefined,
    resigns: action === 16 && b === 0,
    reason: 'drawn',
    evidence: new Map<string, string>(),
  } as const;
  const epoch = image.brokers.get(sender)?.brokerEpoch ?? brokerEpoch(0);
  return decideAlterPartitions(
    image,
    { nodeId: sender, brokerEpoch: epoch, partitions: [proposal] },
    world.rules,
  );
}
