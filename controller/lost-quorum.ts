/**
 * What is left when most voters lost their storage for good: the log of one that survived. An operator
 * may go on with it alone (`cluster recover`); nothing here happens by itself.
 *
 * Whatever the lost majority had committed beyond this log is forgotten, and it may have been told to
 * brokers and clients. So that nobody takes a number of the forgotten history for one of the new:
 *
 * - the log begins anew with a snapshot far beyond its end: who holds a later revision of the forgotten
 *   history gets that snapshot and never a change on top of what he holds;
 * - the term leaps, so that what is left of the old quorum is outdated wherever it is heard;
 * - every partition begins a round in an epoch that the forgotten history cannot have reached: its
 *   replicas are asked what they have, and the one that has most leads;
 * - every broker is fenced until it reports, and who was in sync is eligible instead: nobody is in sync
 *   while nobody leads, and whoever comes back first has lost nothing by that;
 * - producer ids leap over the blocks that may have been given out.
 */
import type { MetadataImage } from '../proto/metadata/image.ts';
import {
  encodeRecords,
  type MetadataRecord,
  type PartitionState,
  record,
} from '../proto/metadata/records.ts';
import { snapshotRecords } from '../proto/metadata/snapshot.ts';
import { HighwaterError } from '../proto/model/errors.ts';
import { producerId } from '../proto/model/ids.ts';
import {
  type LogIndex,
  leaderEpoch,
  logIndex,
  partitionEpoch,
  type Term,
  term,
} from '../proto/model/offset.ts';
import type { KeyValueStore } from '../proto/ports/key-value.ts';
import { silentLogger } from '../proto/ports/logger.ts';
import { crc32c } from '../proto/wire/crc32c.ts';
import { MetadataMachine } from './metadata-machine.ts';
import type { Voter } from './raft/core/voter.ts';
import { openQuorumStore } from './raft/store.ts';
import { loadQuorum } from './raft/store-load.ts';

/** What one controller's storage holds. */
export interface Survey {
  readonly term: Term;
  /** Of two survivors the one with the later last term, then the longer log, has more. */
  readonly lastTerm: Term;
  readonly lastIndex: LogIndex;
  /** From here on the log is damaged, and is not counted above. */
  readonly damagedFrom: LogIndex | undefined;
  readonly voters: readonly Voter[];
  readonly image: MetadataImage;
}

/** More changes, elections and blocks than a history can be ahead of a survivor. */
const revisionLeap = 1_000_000_000;
const epochLeap = 1_000_000;
const producerIdLeap = 1_000_000_000;

/** Reads a storage and changes nothing. */
export function surveyController(store: KeyValueStore): Survey {
  const { loaded, recovery } = loadQuorum(store);
  if (recovery.isEmpty)
    throw new HighwaterError('INVALID_CONFIG', 'this storage never belonged to a quorum');
  const { snapshot, entries, base, hard } = loaded;
  const machine = new MetadataMachine(silentLogger);
  if (snapshot !== undefined) machine.restore(snapshot.data, snapshot.index);
  const after = entries.filter(({ index }) => index > (snapshot?.index ?? 0));
  machine.apply(after);
  const configured = entries.findLast(({ body }) => body.kind === 'config')?.body;
  const last = entries.at(-1) ?? snapshot ?? base;
  return {
    term: hard.term,
    lastTerm: last.term,
    lastIndex: last.index,
    damagedFrom: recovery.damagedFrom,
    voters: configured?.kind === 'config' ? configured.voters : (snapshot?.voters ?? []),
    image: machine.image,
  };
}

/** Makes the survivor the only voter of its quorum; durable when it resolves. */
export async function goOnAlone(store: KeyValueStore, self: Voter): Promise<void> {
  const survey = surveyController(store);
  const begun = term(Math.max(survey.term, survey.lastTerm) + epochLeap);
  const data = Buffer.from(encodeRecords(recoveredRecords(survey.image, self)));
  const snapshot = {
    index: logIndex(survey.lastIndex + revisionLeap),
    term: begun,
    voters: [self],
    bytes: data.length,
    checksum: crc32c(data),
    data,
  };
  const quorum = await openQuorumStore(store);
  await quorum.persist([
    { kind: 'persist-hard-state', hard: { term: begun, vote: undefined, damage: undefined } },
    { kind: 'install-snapshot', snapshot },
  ]);
}

/** What is told anew, or comes by itself. */
const left: ReadonlySet<string | undefined> = new Set([
  'producerIdsAllocated',
  'brokerUnfenced',
  'brokerStopping',
]);

/** The image as its records, raised above the forgotten history. */
function* recoveredRecords(
  image: MetadataImage,
  { nodeId, storageId, host, port }: Voter,
): IterableIterator<MetadataRecord> {
  const voters = [{ nodeId, storageId, host, port, isLearner: false }];
  for (const one of snapshotRecords(image)) {
    const { body } = one;
    if (body?.kind === 'clusterFormed') yield record('clusterFormed', { ...body.value, voters });
    else if (body?.kind === 'topicCreated' || body?.kind === 'partitionsAdded') {
      const partitions = body.value.partitions.map(inNewRound);
      if (body.kind === 'topicCreated') yield record(body.kind, { ...body.value, partitions });
      else yield record(body.kind, { ...body.value, partitions });
    } else if (!left.has(body?.kind)) yield one;
  }
  const count = image.nextProducerId + producerIdLeap;
  yield record('producerIdsAllocated', { first: producerId(0), count });
}

function inNewRound(state: PartitionState): PartitionState {
  return {
    ...state,
    isr: [],
    elr: [...state.isr, ...state.elr],
    leader: undefined,
    successor: undefined,
    leaderEpoch: leaderEpoch(state.leaderEpoch + epochLeap),
    partitionEpoch: partitionEpoch(state.partitionEpoch + epochLeap),
    roundPurpose: 'operator',
  };
}
