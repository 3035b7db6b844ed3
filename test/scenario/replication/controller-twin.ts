/**
 * The controller of a test world: commits what a partition needs and nothing else. The election
 * itself is the production function.
 */

import type { AnswerPromise, IsrProposal } from '../../../broker/replication/core/effects.ts';
import type { ProposalAnswer } from '../../../broker/replication/core/inputs.ts';
import type { PartitionMetadata } from '../../../broker/replication/core/metadata.ts';
import {
  decideRound,
  type RoundAnswer,
  type RoundRules,
  type RoundVerdict,
} from '../../../controller/cluster/core/election-round.ts';
import type { ClusterRules } from '../../../controller/cluster/core/rules.ts';
import type { NodeId } from '../../../proto/model/ids.ts';
import { brokerEpoch, leaderEpoch, partitionEpoch } from '../../../proto/model/offset.ts';
import { ProductionController } from './production-controller.ts';

export interface ControllerOptions {
  readonly minInsyncReplicas: number;
  readonly semiSyncReplicas: number;
  readonly semiSyncOnTimeout?: 'fail' | 'degrade';
  readonly roundRules?: RoundRules;
  /** The controller's own decisions, under these rules; undefined: the twin's. */
  readonly clusterRules?: ClusterRules | undefined;
}

export interface Controller {
  readonly options: ControllerOptions;
  readonly replicas: readonly NodeId[];
  leader: NodeId | undefined;
  leaderEpoch: number;
  partitionEpoch: number;
  isr: readonly NodeId[];
  elr: readonly NodeId[];
  semiSyncMembers: readonly NodeId[];
  suspects: readonly NodeId[];
  successor: NodeId | undefined;
  answers: RoundAnswer[];
  registered: Map<NodeId, number>;
  lastBrokerEpoch: number;
  /** Everything committed, oldest first. Brokers apply it in order. */
  versions: PartitionMetadata[];
  /** Decides instead of the twin. */
  readonly production?: ProductionController;
}

export function createController(
  replicas: readonly NodeId[],
  options: ControllerOptions,
): Controller {
  const { clusterRules: rules } = options;
  const production =
    rules === undefined ? undefined : new ProductionController(replicas, options, rules);
  const controller: Controller = {
    ...(production === undefined ? {} : { production }),
    options,
    replicas,
    leader: replicas[0],
    leaderEpoch: 1,
    partitionEpoch: 0,
    isr: replicas,
    elr: [],
    semiSyncMembers: [],
    suspects: [],
    successor: undefined,
    answers: [],
    registered: new Map(replicas.map((node) => [node, node])),
    lastBrokerEpoch: replicas.length,
    versions: [],
  };
  if (production === undefined) publish(controller);
  else production.tell(controller);
  return controller;
}

export function currentMetadata(controller: Controller): PartitionMetadata {
  const metadata = controller.versions.at(-1);
  if (metadata === undefined) throw new Error('nothing was committed');
  return metadata;
}

/** Commits "epoch + 1, no leader". */
export function openRound(controller: Controller, successor?: NodeId): void {
  if (controller.leader === undefined) return;
  if (controller.production !== undefined) {
    fence(controller, controller.leader);
    return;
  }
  controller.leader = undefined;
  controller.leaderEpoch++;
  controller.answers = [];
  controller.successor = successor;
  change(controller);
}

/** Another controller goes on with the round: the answers so far are forgotten and asked for again. */
export function replaceController(controller: Controller): void {
  controller.answers = [];
}

export function answerRound(controller: Controller, from: NodeId, answer: AnswerPromise): void {
  controller.production?.answer(from, answer);
  if (controller.leader !== undefined || answer.leaderEpoch !== controller.leaderEpoch) return;
  if (controller.registered.get(from) !== answer.brokerEpoch) return;
  const { brokerEpoch, verifiedEpoch, storedEnd, isSuspect } = answer;
  controller.answers = controller.answers.filter(({ nodeId }) => nodeId !== from);
  controller.answers.push({ nodeId: from, brokerEpoch, verifiedEpoch, storedEnd, isSuspect });
}

/** Decides the open round, if it can be. */
export function decide(controller: Controller): RoundVerdict | undefined {
  const { options, leader, replicas, isr, elr, semiSyncMembers, suspects, production } = controller;
  if (leader !== undefined) return undefined;
  if (production !== undefined) {
    production.elect();
    production.tell(controller);
    return undefined;
  }
  const preferred = controller.successor;
  const first = preferred === undefined ? [] : [preferred];
  const verdict = decideRound(
    {
      replicas: [...first, ...replicas.filter((node) => node !== preferred)],
      isr,
      elr,
      semiSyncMembers,
      semiSyncReplicas: options.semiSyncReplicas,
      minInsyncReplicas: options.minInsyncReplicas,
      suspects,
      answers: controller.answers,
      reachable: [],
      decidableSinceMs: undefined,
      graceMs: 0,
      uncleanRecovery: 'wait',
    },
    0,
    options.roundRules,
  );
  if (verdict.kind !== 'elected') return verdict;
  controller.leader = verdict.leader;
  controller.isr = verdict.isr;
  controller.elr = verdict.elr;
  controller.semiSyncMembers = verdict.semiSyncMembers;
  change(controller);
  return verdict;
}

/** Compare and set (rules B3.2, B3.3). Incarnation 0 is what a broken leader names: any. */
export function decideProposal(
  controller: Controller,
  from: NodeId,
  proposal: IsrProposal,
  isUp: (node: NodeId) => boolean,
): ProposalAnswer {
  const { registered, production } = controller;
  if (production !== undefined) {
    const answer = production.propose(from, proposal);
    production.tell(controller);
    return answer;
  }
  const isCurrent =
    controller.leader === from &&
    proposal.leaderEpoch === controller.leaderEpoch &&
    proposal.partitionEpoch === controller.partitionEpoch &&
    registered.get(from) === proposal.leaderBrokerEpoch;
  const added = proposal.isr.filter(({ nodeId }) => !controller.isr.includes(nodeId));
  const areEligible = added.every(
    ({ nodeId, brokerEpoch: named }) =>
      isUp(nodeId) && (named === 0 || named === registered.get(nodeId)),
  );
  if (!isCurrent || !areEligible) {
    return { kind: 'rejected', partitionEpoch: partitionEpoch(controller.partitionEpoch) };
  }
  const isr = proposal.isr.map(({ nodeId }) => nodeId);
  setIsr(controller, isr);
  controller.suspects = controller.suspects.filter((node) => !isr.includes(node));
  if (proposal.semiSync === 'open') {
    controller.semiSyncMembers = union(controller.semiSyncMembers, isr);
  } else if (proposal.semiSync === 'settle') controller.semiSyncMembers = isr;
  else if (proposal.semiSync === 'close') controller.semiSyncMembers = [];
  change(controller);
  const { semiSyncMembers, semiSyncReplicas, partitionEpoch: epoch } = currentMetadata(controller);
  return { kind: 'accepted', partitionEpoch: epoch, isr, semiSyncMembers, semiSyncReplicas };
}

/** The controller removes a member by itself: its session ended. */
export function fence(controller: Controller, node: NodeId): boolean {
  const { isr, leader, production } = controller;
  if (production !== undefined) {
    const isFenced = production.fence(node);
    production.tell(controller);
    return isFenced;
  }
  if (leader === undefined || node === leader || !isr.includes(node)) return false;
  setIsr(
    controller,
    isr.filter((member) => member !== node),
  );
  change(controller);
  return true;
}

/** A broker registers: another incarnation, suspect if its storage is new. */
export function register(controller: Controller, node: NodeId, hasLostStorage: boolean): void {
  const { production } = controller;
  if (production !== undefined) {
    production.register(node, hasLostStorage);
    production.tell(controller);
    return;
  }
  controller.lastBrokerEpoch++;
  controller.registered.set(node, controller.lastBrokerEpoch);
  controller.answers = controller.answers.filter(({ nodeId }) => nodeId !== node);
  if (!hasLostStorage) return publish(controller);
  controller.suspects = union(controller.suspects, [node]);
  // Registrations are facts of the broker: only a partition that loses a member changes with one.
  if (![...controller.isr, ...controller.elr].includes(node)) return publish(controller);
  controller.isr = controller.isr.filter((member) => member !== node);
  controller.elr = controller.elr.filter((member) => member !== node);
  change(controller);
}

function setIsr(controller: Controller, isr: readonly NodeId[]): void {
  const left = controller.isr.filter((node) => !isr.includes(node));
  controller.isr = isr;
  const isShort = isr.length < controller.options.minInsyncReplicas;
  const kept = controller.elr.filter((node) => !isr.includes(node));
  controller.elr = isShort ? union(kept, left) : [];
  if (controller.semiSyncMembers.length > 0) {
    controller.semiSyncMembers = union(controller.semiSyncMembers, isr);
  }
}

function change(controller: Controller): void {
  controller.partitionEpoch++;
  publish(controller);
}

function publish(controller: Controller): void {
  const { options, registered } = controller;
  controller.versions.push({
    leader: controller.leader,
    leaderEpoch: leaderEpoch(controller.leaderEpoch),
    partitionEpoch: partitionEpoch(controller.partitionEpoch),
    replicas: controller.replicas.map((node) => ({
      nodeId: node,
      brokerEpoch: brokerEpoch(registered.get(node) ?? 0),
      isEligible: true,
    })),
    isr: controller.isr,
    semiSyncMembers: controller.semiSyncMembers,
    semiSyncReplicas: options.semiSyncReplicas,
    uncleanEpoch: undefined,
    settings: {
      minInsyncReplicas: options.minInsyncReplicas,
      semiSyncReplicas: options.semiSyncReplicas,
      semiSyncTimeoutMs: 10_000,
      semiSyncOnTimeout: options.semiSyncOnTimeout ?? 'fail',
      lagTimeMaxMs: 5_000,
    },
  });
}

function union(a: readonly NodeId[], b: readonly NodeId[]): readonly NodeId[] {
  return [...new Set([...a, ...b])];
}
