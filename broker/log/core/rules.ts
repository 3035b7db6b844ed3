/**
 * The rules of logs and disks that a test can break, one switch each. In production every rule holds:
 * `everyRule` is the frozen default. The walks over a directory of logs have to notice each that is
 * off; a rule whose absence nobody notices is not tested.
 */
export interface LogRules {
  /** A cut trims the epoch history (rule B2.6). */
  readonly cutsEpochs: boolean;
  /** A cut takes the state of producers back (rule B2.6). */
  readonly cutsProducers: boolean;
  /** A cut is durably decided before a file is touched (rule B2.8). */
  readonly decidesCutFirst: boolean;
  /** A start carries out the cut that was decided (rule B2.8). */
  readonly finishesCut: boolean;
  /** Nothing above the watermark is deleted (rule B2.11). */
  readonly deletesBelowWatermark: boolean;
  /** Nothing above the watermark is compacted (rule B2.11). */
  readonly compactsBelowWatermark: boolean;
  /** Bad bytes with a good batch behind them are damage, not a torn end (rule B4.15). */
  readonly tellsDamage: boolean;
  /** Damage is durably marked before the bad bytes are cut (rule B4.15). */
  readonly marksDamageFirst: boolean;
  /** A short write goes on until all is written (rule B5.1). */
  readonly finishesWrites: boolean;
  /** A new file counts as flushed only with its directory (rule B5.1). */
  readonly flushesNames: boolean;
  /** A failed flush is not tried again (rule B5.2). */
  readonly flushesOnce: boolean;
  /** A full disk refuses before anything is accepted (rule B5.3). */
  readonly keepsReserve: boolean;
  /** What a failed write left in the file goes at once (rule B5.3). */
  readonly cutsBack: boolean;
  /** A batch that is read from disk is checked by its checksum (rule B5.4). */
  readonly checksReads: boolean;
  /** Recovery checks everything above the recovery point, not only the last segment (rule B5.5). */
  readonly recoversFromPoint: boolean;
  /** The recovery point rises only over what is flushed in place (rule B5.5). */
  readonly flushesBelowPoint: boolean;
  /** What a start found in the page cache is flushed before it counts as stored (rules B5.5, S24). */
  readonly flushesRecovered: boolean;
  /** The sequence of a block that may be torn is not used again (rule B5.5). */
  readonly skipsTornSequence: boolean;
  /** A journal file is written over once all in it is flushed in place (rule B5.5). */
  readonly freesFlushed: boolean;
  /** The floor rises before a block is written over (rule B5.5). */
  readonly raisesFloor: boolean;
  /** Blocks below the fence of a log are void for it (rule B5.5). */
  readonly keepsFences: boolean;
  /** Only a log that is marked active goes into the journal (rule B5.5). */
  readonly journalsMarked: boolean;
  /** A small file is replaced as a whole (rule B5.6). */
  readonly replacesWhole: boolean;
  /** A batch that is read from disk continues the log by its offset (rule B5.8). */
  readonly checksPlace: boolean;
  /** A disk that does not answer ends the node (rule B5.9). */
  readonly endsOnHang: boolean;
  /** The last five batches of a producer are remembered, not only the last (rule B6.2). */
  readonly remembersFive: boolean;
  /** A batch that does not follow on the last one of its producer is refused (rule B6.3). */
  readonly refusesGaps: boolean;
  /** A batch of an earlier epoch of its producer is refused (rule B6.3). */
  readonly fencesProducers: boolean;
  /** A producer that is not known begins with its first sequence (rule B6.3). */
  readonly knowsProducers: boolean;
  /** Producer state is replayed from its snapshot to the end of the log (rule B6.4). */
  readonly replaysProducers: boolean;
  /** Snapshots of producer state above a cut go with it (rules B2.6, B6.4). */
  readonly cutsSnapshots: boolean;
  /** A snapshot of producer state is left of batches that are deleted (rule B6.4). */
  readonly keepsProducers: boolean;
  /** Written bytes count as stored after their file's fdatasync (rule S24). */
  readonly flushesFiles: boolean;
  /** Journalled bytes count as stored after the journal's fdatasync (rules B5.5, S24). */
  readonly flushesJournal: boolean;
}

/** All rules hold. */
export const everyRule: LogRules = Object.freeze({
  cutsEpochs: true,
  cutsProducers: true,
  decidesCutFirst: true,
  finishesCut: true,
  deletesBelowWatermark: true,
  compactsBelowWatermark: true,
  tellsDamage: true,
  marksDamageFirst: true,
  finishesWrites: true,
  flushesNames: true,
  flushesOnce: true,
  keepsReserve: true,
  cutsBack: true,
  checksReads: true,
  recoversFromPoint: true,
  flushesBelowPoint: true,
  flushesRecovered: true,
  skipsTornSequence: true,
  freesFlushed: true,
  raisesFloor: true,
  keepsFences: true,
  journalsMarked: true,
  replacesWhole: true,
  checksPlace: true,
  endsOnHang: true,
  remembersFive: true,
  refusesGaps: true,
  fencesProducers: true,
  knowsProducers: true,
  replaysProducers: true,
  cutsSnapshots: true,
  keepsProducers: true,
  flushesFiles: true,
  flushesJournal: true,
});
