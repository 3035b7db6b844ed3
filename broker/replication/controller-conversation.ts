/**
 * What replicas say to the active controller: proposals of leaders, answers to election rounds,
 * resignations. Those of one turn leave together, so that a node with thousands of partitions asks
 * once and not thousands of times.
 *
 * A round is answered again until its outcome is known here: the first answer may have reached a
 * controller that is not active any more (rule 6.5).
 */
import type {
  PartitionProposal,
  PromiseAnswer,
  ProposalAnswer as WireAnswer,
} from '../../proto/generated/highwater/peer/v1/control.ts';
import { controlMethods } from '../../proto/link/control-methods.ts';
import type { NodeId } from '../../proto/model/ids.ts';
import type { BrokerEpoch, LeaderEpoch } from '../../proto/model/offset.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import type { ControllerLinks } from '../membership/controller-links.ts';
import type { Effect, IsrProposal } from './core/effects.ts';
import type { ProposalAnswer } from './core/inputs.ts';
import { proposalReason } from './core/proposal-reason.ts';
import { LagEvidence } from './lag-evidence.ts';
import { takeNamedOnce } from './named-once.ts';
import type { PartitionDriver } from './partition-driver.ts';

export interface ControllerConversationOptions {
  readonly nodeId: NodeId;
  readonly links: ControllerLinks;
  readonly clock: Clock;
  readonly activeController: () => NodeId | undefined;
  readonly brokerEpoch: () => BrokerEpoch | undefined;
}

const answerTimeoutMs = 2_000;
const reaskMs = 250;
/** Before a proposal that reached no active controller counts as unanswered. */
const retryMs = 50;
/** Elements of one message: far below the bound of a repeated field. */
const chunk = 5_000;

type Answer = Extract<Effect, { kind: 'answer-promise' }>;

interface PendingProposal {
  readonly driver: PartitionDriver;
  readonly wire: PartitionProposal;
  /** Absent for resignations and hand-overs, whose outcome arrives as metadata. */
  readonly proposal: number | undefined;
}

export class ControllerConversation {
  readonly #options: ControllerConversationOptions;
  #proposals: PendingProposal[] = [];
  #answers: PromiseAnswer[] = [];
  readonly #openRounds = new Map<PartitionDriver, LeaderEpoch>();
  readonly #lag: LagEvidence;
  #isScheduled = false;
  #isReasking = false;
  #isClosed = false;

  constructor(options: ControllerConversationOptions) {
    this.#options = options;
    this.#lag = new LagEvidence(options.clock);
  }

  propose(driver: PartitionDriver, proposal: IsrProposal): void {
    const { leaderEpoch, partitionEpoch, isr, semiSync, semiSyncReplicas } = proposal;
    const { reason, evidence, removedAt } = proposalReason(driver.state, proposal);
    const head = this.#head(driver, leaderEpoch);
    this.#lag.measure(driver.log, removedAt, (measured) => {
      const wire: PartitionProposal = {
        ...head,
        reason,
        evidence: new Map([...evidence, ...measured]),
        partitionEpoch,
        isr,
        semiSync: semiSync === 'keep' ? 'unspecified' : semiSync,
        semiSyncReplicas,
      };
      this.#proposals.push({ driver, wire, proposal: proposal.proposal });
      this.#schedule();
    });
  }

  resign(driver: PartitionDriver, leaderEpoch: LeaderEpoch): void {
    this.#proposals.push({
      driver,
      wire: { ...this.#head(driver, leaderEpoch), resigns: true },
      proposal: undefined,
    });
    this.#schedule();
  }

  handOverReady(driver: PartitionDriver, successor: NodeId, leaderEpoch: LeaderEpoch): void {
    this.#proposals.push({
      driver,
      wire: { ...this.#head(driver, leaderEpoch), handedOverTo: successor },
      proposal: undefined,
    });
    this.#schedule();
  }

  answerPromise(driver: PartitionDriver, answer: Answer): void {
    const { leaderEpoch, verifiedEpoch, storedEnd, isSuspect } = answer;
    const { topicId, partition } = driver;
    this.#answers.push({
      topicId,
      partition,
      leaderEpoch,
      verifiedEpoch,
      storedEnd,
      suspect: isSuspect,
    });
    this.#openRounds.set(driver, leaderEpoch);
    this.#schedule();
    this.#reaskLater();
  }

  /** Another controller is active: it has to be told what the former one may have known alone. */
  activeChanged(): void {
    this.#reask();
  }

  close(): void {
    this.#isClosed = true;
  }

  #head(driver: PartitionDriver, leaderEpoch: LeaderEpoch): PartitionProposal {
    const { topicId, partition, state } = driver;
    return {
      topicId,
      partition,
      leaderEpoch,
      partitionEpoch: state.metadata?.partitionEpoch ?? (0 as PartitionProposal['partitionEpoch']),
      isr: [],
      semiSync: 'unspecified',
      reason: '',
      evidence: new Map(),
      semiSyncReplicas: 0,
      resigns: false,
    };
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#options.clock.soon(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    const { taken: proposals, left } = takeNamedOnce(this.#proposals);
    const answers = this.#answers;
    this.#proposals = left;
    this.#answers = [];
    if (left.length > 0) this.#schedule();
    const epoch = this.#options.brokerEpoch();
    if (this.#isClosed) return;
    if (epoch !== undefined) this.#sendAnswers(epoch, answers);
    const at = this.#options.activeController();
    if (at === undefined || epoch === undefined) {
      if (proposals.length > 0) this.#later(() => this.#settle(proposals, undefined));
      return;
    }
    for (let i = 0; i < proposals.length; i += chunk)
      this.#sendProposals(at, epoch, proposals.slice(i, i + chunk));
  }

  #sendProposals(
    at: NodeId,
    brokerEpoch: BrokerEpoch,
    proposals: readonly PendingProposal[],
  ): void {
    const { nodeId, links } = this.#options;
    const partitions = proposals.map((pending) => pending.wire);
    links
      .call(
        at,
        controlMethods.alterPartitions,
        { nodeId, brokerEpoch, partitions },
        answerTimeoutMs,
      )
      .then(
        (response) => this.#settle(proposals, response.partitions),
        () => this.#later(() => this.#settle(proposals, undefined)),
      );
  }

  /** Tells each replica what became of its proposal; without an answer that is not known. */
  #settle(proposals: readonly PendingProposal[], answers: readonly WireAnswer[] | undefined): void {
    proposals.forEach((pending, index) => {
      const { driver, proposal } = pending;
      const answer = answerOf(pending.wire, answers?.[index]);
      if (proposal !== undefined) driver.step({ kind: 'proposal-answered', proposal, answer });
      else if (answer.kind === 'unknown') this.#askAgain(pending);
    });
  }

  /** A resignation or a hand-over that is lost would leave the partition without a leader for ever. */
  #askAgain(pending: PendingProposal): void {
    const { driver, wire } = pending;
    const { metadata, role } = driver.state;
    if (metadata?.leaderEpoch !== wire.leaderEpoch || metadata.leader !== this.#options.nodeId)
      return;
    const isMoving = role.kind === 'leader' && role.handOver?.successor === wire.handedOverTo;
    if (wire.resigns ? role.kind === 'leader' : !isMoving) return;
    this.#proposals.push(pending);
    this.#schedule();
  }

  /** To every controller: one that becomes active in the middle of a round knows them already. */
  #sendAnswers(brokerEpoch: BrokerEpoch, all: readonly PromiseAnswer[]): void {
    const { nodeId, links } = this.#options;
    for (let i = 0; i < all.length; i += chunk) {
      const answers = all.slice(i, i + chunk);
      for (const at of links.nodeIds) {
        // What is lost is sent again by the next round of questions.
        links
          .call(
            at,
            controlMethods.promiseAnswers,
            { nodeId, brokerEpoch, answers },
            answerTimeoutMs,
          )
          .catch(() => undefined);
      }
    }
  }

  #reaskLater(): void {
    if (this.#isReasking) return;
    this.#isReasking = true;
    this.#options.clock.after(reaskMs, () => {
      this.#isReasking = false;
      this.#reask();
    });
  }

  #reask(): void {
    for (const [driver, epoch] of [...this.#openRounds]) {
      const { metadata, role } = driver.state;
      const isOpen =
        metadata?.leader === undefined &&
        metadata?.leaderEpoch === epoch &&
        role.kind !== 'stopped';
      if (isOpen && !this.#isClosed) driver.step({ kind: 'promise-asked', leaderEpoch: epoch });
      else this.#openRounds.delete(driver);
    }
  }

  #later(callback: () => void): void {
    this.#options.clock.after(retryMs, callback);
  }
}

/** Answers come in the order of the questions; one that names another partition is nobody's. */
function answerOf(asked: PartitionProposal, wire: WireAnswer | undefined): ProposalAnswer {
  if (wire?.topicId !== asked.topicId || wire.partition !== asked.partition)
    return { kind: 'unknown' };
  if (wire.code === 'OUTCOME_UNKNOWN' || wire.code === 'NOT_CONTROLLER') return { kind: 'unknown' };
  const { partitionEpoch, isr, semiSyncMembers, semiSyncReplicas } = wire;
  if (wire.code !== '') return { kind: 'rejected', partitionEpoch };
  return { kind: 'accepted', partitionEpoch, isr, semiSyncMembers, semiSyncReplicas };
}
