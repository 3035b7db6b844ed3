/**
 * `semi-sync`: k members of the committed ISR have stored it, the leader among them (rule 6.5).
 *
 * The committed set of semi-sync members holds everybody who may have a record acknowledged at this
 * level, so an election that misses fewer than k of them has one of the k holders' answers.
 *
 * Invariants: (1) no ack before the set is committed, and none counted on a node outside it;
 * (2) the set shrinks only when k of those that stay have stored all that was acknowledged;
 * (3) no ack while closing the set is pending. No clock is involved.
 */
import type { NodeId } from '../../../proto/model/ids.ts';
import { type Offset, offset } from '../../../proto/model/offset.ts';
import type { Effect } from './effects.ts';
import type { Leader, PartitionState } from './state.ts';
import { countedEnd } from './watermark.ts';

/** Everything below this is stored by k members: the greatest end that may be acknowledged. */
export function semiSyncEnd(state: PartitionState, leader: Leader): Offset {
  const { pending, committed } = leader;
  const k = wantedReplicas(state, leader);
  const own = countedEnd(state, leader, state.self);
  if (own === undefined || k === 0) return offset(0);
  if (pending?.mayClose === true && state.rules.holdsWhileClosing) return offset(0);
  const counted = state.rules.countsCommittedIsr
    ? committed.isr
    : (pending?.maximalIsr ?? committed.isr);
  // The k-th greatest stored end. In-sync sets are small, so counting beats sorting a copy.
  let best = offset(0);
  for (const candidate of counted) {
    const end = memberEnd(state, leader, candidate);
    if (end === undefined || end <= best || end > own) continue;
    if (holdersOf(state, leader, counted, end) >= k) best = end;
  }
  return best;
}

/** The k that an ack needs: what elections count with, what is wanted, what is being settled. */
function wantedReplicas(state: PartitionState, leader: Leader): number {
  const wanted = state.metadata?.settings.semiSyncReplicas ?? 0;
  if (wanted === 0) return 0;
  const settling = leader.pending?.settlingReplicas ?? 0;
  return Math.max(wanted, leader.committed.semiSyncReplicas, settling);
}

/** What the semi-sync set needs next, if anything. */
export type SemiSyncNeed = 'open' | 'settle' | 'close';

/** Served time after the last use of the level, before its set is closed. */
const idleMsMax = 60_000;

/** Decides which change of the set to propose. */
export function semiSyncNeed(state: PartitionState, leader: Leader): SemiSyncNeed | undefined {
  const { committed, waiting, semiSync } = leader;
  const wanted = state.metadata?.settings.semiSyncReplicas ?? 0;
  const members = committed.semiSyncMembers;
  if (members.length === 0) {
    const isAsked = waiting.semiSync.length > 0 && wanted > 0 && state.rules.needsSemiSyncSet;
    return isAsked ? 'open' : undefined;
  }
  const isUnused = wanted === 0 || leader.servedMs - semiSync.usedMs > idleMsMax;
  if (isUnused && waiting.semiSync.length === 0 && state.watermark >= semiSync.acknowledgedEnd) {
    return 'close';
  }
  const isSettled =
    members.length === committed.isr.length &&
    members.every((node) => committed.isr.includes(node)) &&
    committed.semiSyncReplicas >= wanted;
  return isSettled || wanted === 0 || !canSettle(state, leader) ? undefined : 'settle';
}

/** The level works again as asked: k members have all that had been acknowledged without them. */
export function maybeRecover(leader: Leader, end: Offset, effects: Effect[]): void {
  const { semiSync } = leader;
  if (semiSync.degradedUntil === undefined || end < semiSync.degradedUntil) return;
  semiSync.degradedUntil = undefined;
  effects.push({ kind: 'event', event: { event: 'semi-sync-recovered' } });
}

function canSettle(state: PartitionState, leader: Leader): boolean {
  if (!state.rules.settlesWhenStored) return true;
  const { committed, semiSync } = leader;
  const needed = wantedReplicas(state, leader);
  let holders = 0;
  for (const node of committed.isr) {
    const end = countedEnd(state, leader, node);
    if (end !== undefined && end >= semiSync.acknowledgedEnd) holders++;
  }
  return holders >= needed;
}

function holdersOf(
  state: PartitionState,
  leader: Leader,
  nodes: readonly NodeId[],
  end: Offset,
): number {
  let holders = 0;
  for (const node of nodes) {
    const stored = memberEnd(state, leader, node);
    if (stored !== undefined && stored >= end) holders++;
  }
  return holders;
}

/** The counted end of a node that may count here: a member of the set, not on its way out. */
function memberEnd(state: PartitionState, leader: Leader, node: NodeId): Offset | undefined {
  const { committed, pending } = leader;
  if (pending?.removed.includes(node) === true) return undefined;
  const mustBeMember = state.rules.needsSemiSyncSet && state.rules.countsCommittedIsr;
  if (mustBeMember && !committed.semiSyncMembers.includes(node)) return undefined;
  return countedEnd(state, leader, node);
}
