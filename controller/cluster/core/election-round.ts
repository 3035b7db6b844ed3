/**
 * When an election round of one partition is decided, and for whom (rule 6.5).
 *
 * A round begins with the committed record "epoch + 1, no leader". Each replica that applied it
 * promised to take nothing from a lower epoch, and answers with its verified epoch and stored end.
 *
 * Why it is safe: a record acknowledged at `all` is stored by the whole ISR of its time, so any member
 * of ISR ∪ ELR that kept its storage has it, and no replica without it has an answer that is as
 * great. A record acknowledged at `semi-sync` is stored by k semi-sync members; with fewer than k of
 * them missing, one holder has answered. A round that is not decided waits: nobody is fenced for
 * being slow, and no clock elects.
 */
import type { NodeId } from '../../../proto/model/ids.ts';
import type { BrokerEpoch, LeaderEpoch, Offset } from '../../../proto/model/offset.ts';

/** An open round: the committed facts and what has been answered so far. */
export interface ElectionRound {
  /** In preference order: the successor of a planned move first, then the assigned order. */
  readonly replicas: readonly NodeId[];
  readonly isr: readonly NodeId[];
  readonly elr: readonly NodeId[];
  readonly semiSyncMembers: readonly NodeId[];
  /** The k in effect, under which everything acknowledged so far was acknowledged, or a smaller one. */
  readonly semiSyncReplicas: number;
  readonly minInsyncReplicas: number;
  /** Replicas whose storage may lack what it had; they count as missing until they have caught up. */
  readonly suspects: readonly NodeId[];
  /** At most one for each node, of the incarnation that is registered and alive. */
  readonly answers: readonly RoundAnswer[];
  /** Replicas whose answer may still come soon: registered, with a live session. */
  readonly reachable: readonly NodeId[];
  /** When it was first found decidable; undefined: not yet. Starts the grace. */
  readonly decidableSinceMs: number | undefined;
  readonly graceMs: number;
  /** What the topic says where all that is left is suspect. */
  readonly uncleanRecovery: 'wait' | 'longest';
}

/** One replica's answer to the promise. */
export interface RoundAnswer {
  readonly nodeId: NodeId;
  readonly brokerEpoch: BrokerEpoch;
  readonly verifiedEpoch: LeaderEpoch;
  readonly storedEnd: Offset;
  readonly isSuspect: boolean;
}

/**
 * `waiting`: not decidable; `waitingFor` is what to tell the operator. `grace`: decidable, the rest
 * may still answer; keep `sinceMs` and ask again. `elected`: commit it.
 */
export type RoundVerdict =
  | {
      readonly kind: 'waiting';
      /** No member of ISR ∪ ELR that is not suspect has answered. */
      readonly lacksEligible: boolean;
      /** Missing semi-sync members, if k or more of them are. */
      readonly lacksSemiSync: boolean;
      readonly waitingFor: readonly NodeId[];
    }
  | { readonly kind: 'grace'; readonly sinceMs: number; readonly waitingFor: readonly NodeId[] }
  | {
      readonly kind: 'elected';
      readonly leader: NodeId;
      readonly brokerEpoch: BrokerEpoch;
      readonly isr: readonly NodeId[];
      readonly elr: readonly NodeId[];
      readonly semiSyncMembers: readonly NodeId[];
      /** Acknowledged records may be missing: the electing record names the epoch as unclean. */
      readonly isUnclean: boolean;
    };

/** The rules of the round, each of which a test can switch off. */
export interface RoundRules {
  /** (a) A member of ISR ∪ ELR must have answered. */
  readonly needsIsrAnswer: boolean;
  /** (b) Fewer than k semi-sync members may be missing. */
  readonly needsSemiSyncMembers: boolean;
  /** The verified epoch is compared before the stored end. */
  readonly comparesEpochFirst: boolean;
  /** The greatest answer wins, not just any ISR member. */
  readonly greatestWins: boolean;
}

/** All rules hold. */
export const everyRoundRule: RoundRules = Object.freeze({
  needsIsrAnswer: true,
  needsSemiSyncMembers: true,
  comparesEpochFirst: true,
  greatestWins: true,
});

/** Decides the round as of `nowMs`. Called at each answer, each change of sessions, and after the grace. */
export function decideRound(
  round: ElectionRound,
  nowMs: number,
  rules: RoundRules = everyRoundRule,
): RoundVerdict {
  const trusted = round.answers.filter((answer) => !isSuspect(round, answer));
  const answered = new Set(trusted.map(({ nodeId }) => nodeId));
  const eligible = [...round.isr, ...round.elr];
  const lacksEligible = rules.needsIsrAnswer && !eligible.some((node) => answered.has(node));
  const missing = round.semiSyncMembers.filter((node) => !answered.has(node));
  const lacksSemiSync =
    rules.needsSemiSyncMembers && missing.length > 0 && missing.length >= round.semiSyncReplicas;
  if (trusted.length === 0 || lacksEligible || lacksSemiSync) {
    const waitingFor = union(lacksEligible ? eligible : [], lacksSemiSync ? missing : []);
    return (
      uncleanVerdict(round, rules) ?? { kind: 'waiting', lacksEligible, lacksSemiSync, waitingFor }
    );
  }
  const outstanding = round.reachable.filter(
    (node) => !round.answers.some((answer) => answer.nodeId === node),
  );
  const sinceMs = round.decidableSinceMs ?? nowMs;
  if (outstanding.length > 0 && nowMs < sinceMs + round.graceMs) {
    return { kind: 'grace', sinceMs, waitingFor: outstanding };
  }
  return elect(round, greatest(round, trusted, rules), false);
}

/** Positive if `a` must win over `b`: what a later epoch verified holds all that was acknowledged. */
function compareAnswers(a: RoundAnswer, b: RoundAnswer, rules: RoundRules): number {
  const byEpoch = rules.comparesEpochFirst ? a.verifiedEpoch - b.verifiedEpoch : 0;
  return byEpoch === 0 ? a.storedEnd - b.storedEnd : byEpoch;
}

/** The greatest answer; among equal ones the most preferred replica. */
function greatest(
  round: ElectionRound,
  answers: readonly RoundAnswer[],
  rules: RoundRules,
): RoundAnswer | undefined {
  let best: RoundAnswer | undefined;
  for (const node of round.replicas) {
    const answer = answers.find(({ nodeId }) => nodeId === node);
    if (answer === undefined) continue;
    if (!rules.greatestWins && round.isr.includes(node)) return answer;
    if (best === undefined || compareAnswers(answer, best, rules) > 0) best = answer;
  }
  return best;
}

/** The winner joins the ISR if it was outside; it holds everything that was acknowledged. */
function elect(
  round: ElectionRound,
  winner: RoundAnswer | undefined,
  isUnclean: boolean,
): RoundVerdict {
  if (winner === undefined) {
    return { kind: 'waiting', lacksEligible: true, lacksSemiSync: false, waitingFor: round.isr };
  }
  const { nodeId: leader, brokerEpoch } = winner;
  // After an unclean election nobody else is known to agree with the winner.
  const isr = isUnclean ? [leader] : union(round.isr, [leader]);
  const elr =
    isUnclean || isr.length >= round.minInsyncReplicas
      ? []
      : round.elr.filter((node) => node !== leader);
  const isUsed = round.semiSyncMembers.length > 0 && !isUnclean;
  const semiSyncMembers = isUsed ? union(round.semiSyncMembers, [leader]) : [];
  return { kind: 'elected', leader, brokerEpoch, isr, elr, semiSyncMembers, isUnclean };
}

/** Only where the topic says so, and only when every assigned replica has said what it has. */
function uncleanVerdict(round: ElectionRound, rules: RoundRules): RoundVerdict | undefined {
  if (round.uncleanRecovery !== 'longest') return undefined;
  const haveAll = round.replicas.every((node) =>
    round.answers.some(({ nodeId }) => nodeId === node),
  );
  return haveAll ? elect(round, greatest(round, round.answers, rules), true) : undefined;
}

function isSuspect(round: ElectionRound, answer: RoundAnswer): boolean {
  return answer.isSuspect || round.suspects.includes(answer.nodeId);
}

function union(a: readonly NodeId[], b: readonly NodeId[]): readonly NodeId[] {
  const missing = b.filter((node) => !a.includes(node));
  return missing.length === 0 ? a : [...a, ...new Set(missing)];
}
