/**
 * Every switch of the cores: the rule of docs/rules.md behind it, what breaks without it, and the name
 * of the same break in the model of the design, where it has one.
 */
import type { Core, RuleOf } from './core-rules.ts';

export interface Mutant {
  readonly core: Core;
  readonly switch: string;
  readonly rule: string;
  readonly breaks: string;
  /** The break of the design's model that this is. */
  readonly model?: string;
}

const replica: Described<RuleOf<'replica'>> = {
  promiseStops: ['6.5', 'a replica goes on under a lower epoch after its promise', 'noPromise'],
  promiseFencesReports: ['6.5', 'a flush is reported after the promise', 'noReportFence'],
  answersVerifiedEpoch: ['6.5', 'answers name the epoch of the last record', 'byRecordEpoch'],
  verifiedAtEpochStart: ['6.5', 'an epoch is verified as its stream opens', 'verAtOpen'],
  countsFromEpochStart: ['6.5', 'reports below the start of the epoch count', 'countBelowStart'],
  settlesWhenStored: ['6.5', 'the semi-sync set shrinks too early', 'settleEarly'],
  needsSemiSyncSet: ['6.5', 'semi-sync acks before the set is committed', 'noSemiSet'],
  countsCommittedIsr: ['6.5', 'semi-sync acks count a proposed member', 'countProposed'],
  namesIncarnation: ['B3.3', 'a member joins in another incarnation', 'staleIncarnation'],
  joinsWithAcknowledged: ['B3.4', 'a member joins without what was acknowledged'],
  holdsWhileClosing: ['6.5', 'semi-sync acks while the set is being closed', 'ackWhileClosing'],
  waitsForMaximalIsr: ['B1.1', 'the watermark waits for the committed set alone'],
  needsMinInsync: ['B1.2', 'the watermark moves below the minimum'],
  raisesWatermark: ['B1.7', 'the watermark goes back within an epoch'],
  countsAgreedStream: ['B1.3', 'reports of any stream and incarnation count'],
  comparesHistory: ['B2.3', 'streams start where the logs differ'],
  joinsAtWatermark: ['B3.4', 'a member joins below the watermark'],
  failsWaitersAtStepDown: ['B1.11', 'who waits at step-down is never answered'],
  forfeitsEpoch: ['6.3', 'a restarted leader leads on in its epoch'],
  duplicatesWait: ['B6.2', 'a duplicate is acknowledged at once'],
  deduplicatesFirst: ['6.9', 'a duplicate is refused as not written'],
  refusesBelowMinimum: ['B1.6', 'records at all are appended below the minimum'],
  tellsBelowMinimum: ['B1.6', 'who waits is not told that the minimum is gone'],
  awaitsOwnStart: ['B1.8', 'a new leader tells an end below what was shown'],
  beginsEpoch: ['B1.9', 'records of an epoch that the history lacks'],
  servesBelowWatermark: ['B1.10', 'reads go up to the end of the log'],
  haltsBelowWatermark: ['B2.7', 'a replica cuts below its watermark'],
  ignoresOlder: ['B3.5', 'older answers and metadata are taken'],
  countsServedTime: ['B3.6', 'a stall of the leader counts as lag of its followers'],
  lagsWithoutStream: ['B3.6', 'a member without a stream stays'],
  needsLease: ['B3.14', 'weak acks without a lease'],
  checksHistory: ['B6.8', 'a cut position is read on from'],
  awaitsToken: ['6.10', 'a replica behind a session serves it'],
};

const round: Described<RuleOf<'round'>> = {
  needsIsrAnswer: ['6.5', 'a round is decided without ISR and ELR', 'noIsrAnswer'],
  needsSemiSyncMembers: ['6.5', 'a round is decided without semi-sync members', 'noSemiMissing'],
  comparesEpochFirst: ['6.5', 'the longest answer wins', 'byEnd'],
  greatestWins: ['6.5', 'any member of the ISR wins', 'anyIsr'],
};

const quorum: Described<RuleOf<'quorum'>> = {
  keepsVote: ['B4.2', 'a vote is forgotten at once'],
  persistsVote: ['B4.1', 'a vote is told before it is flushed'],
  votesForUpToDate: ['6.1', 'whoever asks is elected, whatever its log'],
  commitsOwnTerm: ['B4.4', 'entries of earlier terms are committed by counting'],
  countsFlushed: ['B4.3', 'entries count before they are flushed'],
  cutsConflicts: ['6.1', 'entries that differ stay'],
  changesInOwnTerm: ['B4.7', 'voters change before an entry of the term is committed'],
  oneChangeAtATime: ['B4.7', 'two voter changes at once'],
  damagedAbstains: ['B4.12', 'a damaged log votes'],
  asksForReads: ['B4.14', 'a read asks nobody'],
  preVotes: ['B4.5', 'who was cut off disturbs the leader when it comes back'],
  checksQuorum: ['B4.6', 'a leader that hears nobody leads on'],
};

const cluster: Described<RuleOf<'cluster'>> = {
  raisesLeaderEpoch: ['B3.1', 'a round is held under the old leader epoch'],
  raisesPartitionEpoch: ['B3.1', 'a change keeps the partition epoch'],
  comparesEpochs: ['B3.2', 'proposals that were judged on older sets are taken'],
  comparesSender: ['B3.2', 'a word of an earlier incarnation counts'],
  comparesMembers: ['B3.3', 'a member joins in another incarnation than was judged'],
  admitsServing: ['B3.3', 'fenced and stopping brokers join'],
  keepsEligible: ['B3.7', 'who leaves below the minimum is forgotten'],
  emptiesEligible: ['B3.7', 'former members stay eligible with the minimum in sync'],
  separatesSets: ['B3.7', 'who joins stays among the eligible'],
  releasesLeader: ['B3.8', 'a dead leader stays in sync'],
  suspectsAtOnce: ['B3.10', 'lost storage is not committed with the registration'],
  remembersFormer: ['B3.11', 'suspect former members are forgotten'],
  awaitsMetadata: ['B3.12', 'brokers serve before they know their registration'],
  growsFirst: ['B3.16', 'replicas are dropped before the added ones are in sync'],
  keepsMinimum: ['B3.16', 'a reassignment goes below the minimum'],
  handsOverFirst: ['B3.16', 'a reassignment drops the leader'],
  awaitsSettling: ['B3.16', 'a semi-sync member is dropped unsettled'],
};

const store: Described<RuleOf<'store'>> = {
  checksSnapshot: ['B4.11', 'half a snapshot is restored'],
  leavesNoHole: ['B4.11', 'entries are missing behind the snapshot'],
  marksDamage: ['B4.12', 'a log that lost entries takes part'],
  comparesBounds: ['B4.15', 'a log that ends early is taken for a short one'],
  trustsGroups: ['B4.15', 'old bounds cut entries that later ones vouch for'],
};

const log: Described<RuleOf<'log'>> = {
  cutsEpochs: ['B2.6', 'a cut leaves the epochs above it'],
  cutsProducers: ['B2.6', 'a cut leaves its producers in memory'],
  cutsSnapshots: ['B2.6', 'a cut leaves the snapshots of producers above it'],
  decidesCutFirst: ['B2.8', 'files are cut before that is decided'],
  finishesCut: ['B2.8', 'a cut that a crash interrupted is forgotten'],
  deletesBelowWatermark: ['B2.11', 'retention goes above the watermark'],
  compactsBelowWatermark: ['B2.11', 'compaction goes above the watermark'],
  tellsDamage: ['B4.15', 'damage is taken for a torn end'],
  marksDamageFirst: ['B4.15', 'bad bytes are cut before they are told of'],
  finishesWrites: ['B5.1', 'a short write is taken for a whole one'],
  flushesNames: ['B5.1', 'a file counts as flushed without its name'],
  flushesOnce: ['B5.2', 'a failed flush is tried again'],
  keepsReserve: ['B5.3', 'a full disk is noticed by its writes'],
  cutsBack: ['B5.3', 'what a failed write left stays'],
  checksReads: ['B5.4', 'bytes go from disk to readers unchecked'],
  recoversFromPoint: ['B5.5', 'only the last segment is checked at a start'],
  flushesBelowPoint: ['B5.5', 'the recovery point rises over unflushed bytes'],
  flushesRecovered: ['B5.5', 'what a start found counts as stored unflushed'],
  skipsTornSequence: ['B5.5', 'the sequence of a torn block is used again'],
  freesFlushed: ['B5.5', 'a journal file is freed before its logs are flushed'],
  raisesFloor: ['B5.5', 'blocks are written over that a start still looks for'],
  keepsFences: ['B5.5', 'blocks of a cut or earlier log are redone'],
  journalsMarked: ['B5.5', 'a log goes into a journal that is not redone for it'],
  replacesWhole: ['B5.6', 'small files are written in place'],
  checksPlace: ['B5.8', 'a batch in a wrong place is sent on'],
  endsOnHang: ['B5.9', 'a disk that does not answer is waited for'],
  remembersFive: ['B6.2', 'only the last batch of a producer is remembered'],
  refusesGaps: ['B6.3', 'a gap in the sequence is appended'],
  fencesProducers: ['B6.3', 'batches of an earlier epoch are appended'],
  knowsProducers: ['B6.3', 'an unknown producer goes on in the middle'],
  replaysProducers: ['B6.4', 'producers are those of the last snapshot'],
  keepsProducers: ['B6.4', 'producers go with the batches that are deleted'],
  flushesFiles: ['S24', 'written counts as stored'],
  flushesJournal: ['S24', 'journalled counts as stored before it is flushed'],
};

const membership: Described<RuleOf<'membership'>> = {
  leaseFromSending: ['B3.13', 'the lease runs from the answer'],
  needsMajority: ['B3.13', 'a controller without a majority renews the lease'],
  judgesLeaseFirst: ['B3.14', 'the lease is not judged after a stall'],
  followsLatestTerm: ['B3.5', 'a controller whose term is over is followed'],
  keepsEpoch: ['B3.9', 'a late registration gives a process another epoch'],
};

const group: Described<RuleOf<'group'>> = {
  fencesCommits: ['B6.7', 'a former holder commits'],
  refusesOutsiders: ['B6.7', 'an outsider commits for a group at work'],
  takesBackFirst: ['6.11', 'a partition is given on before it is released'],
  comparesGeneration: ['6.11', 'a late word frees what was given since'],
};

const producer: Described<RuleOf<'producer'>> = {
  limitsInFlight: ['B6.5', 'more batches are in flight than are remembered'],
  settlesFirst: ['B6.5', 'a producer sends on behind a refusal'],
  failsUncertain: ['B6.3', 'what may be written is sent under another epoch'],
};

export const mutants: readonly Mutant[] = [
  ...tableOf('replica', replica),
  ...tableOf('round', round),
  ...tableOf('quorum', quorum),
  ...tableOf('cluster', cluster),
  ...tableOf('membership', membership),
  ...tableOf('group', group),
  ...tableOf('producer', producer),
  ...tableOf('log', log),
  ...tableOf('store', store),
];

/** `replica.promiseStops`. */
export function nameOf(mutant: Mutant): string {
  return `${mutant.core}.${mutant.switch}`;
}

/** Names every switch: one that is added without a line here does not compile. */
type Described<Name extends string> = Readonly<
  Record<Name, readonly [rule: string, breaks: string, model?: string]>
>;

function tableOf(core: Mutant['core'], described: Described<string>): readonly Mutant[] {
  return Object.entries(described).map(([name, [rule, breaks, model]]) => ({
    core,
    switch: name,
    rule,
    breaks,
    ...(model === undefined ? {} : { model }),
  }));
}
