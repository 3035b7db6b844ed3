/**
 * Reading the store at start, and telling a torn end from damage (rule B4.15).
 *
 * Rows beyond the recorded bounds belong to a write that did not end: they were never acknowledged and
 * are cut. A row within the bounds that is missing or bad is damage: it may have been acknowledged.
 * Then the bytes are kept aside, the log ends before them, and the durable damage mark keeps the
 * member from voting and leading until its peers have filled the hole (rule B4.12).
 */
import { HighwaterError } from '../../proto/model/errors.ts';
import { type LogIndex, logIndex, term as makeTerm } from '../../proto/model/offset.ts';
import type { KeyValueChange, KeyValueStore } from '../../proto/ports/key-value.ts';
import { crc32c } from '../../proto/wire/crc32c.ts';
import type { Snapshot } from './core/effects.ts';
import type { LogEntry, LogPosition } from './core/entry.ts';
import type { HardState } from './core/state.ts';
import { everyStoreRule, type StoreRules } from './core/store-rules.ts';
import {
  boundsKey,
  boundsRow,
  chunkKey,
  entryKey,
  hardStateKey,
  hardStateRow,
  readBounds,
  readEntry,
  readHardState,
  readSnapshotRow,
  snapshotKey,
} from './store-rows.ts';

/** What a member begins with. */
export interface LoadedQuorum {
  readonly hard: HardState;
  readonly snapshot: Snapshot | undefined;
  readonly base: LogPosition;
  readonly entries: readonly LogEntry[];
}

/** What was found at start, for the log of the node. */
export interface QuorumRecovery {
  /** True if this store never belonged to a quorum. */
  readonly isEmpty: boolean;
  /** Rows of an unfinished write that were cut. */
  readonly tornRows: number;
  /** The first index that cannot be trusted, if any. */
  readonly damagedFrom: LogIndex | undefined;
}

interface Load {
  readonly loaded: LoadedQuorum;
  readonly recovery: QuorumRecovery;
  readonly repairs: readonly KeyValueChange[];
}

const start: LogPosition = { index: logIndex(0), term: makeTerm(0) };
const empty: HardState = { term: makeTerm(0), vote: undefined, damage: undefined };

export function loadQuorum(store: KeyValueStore, rules: StoreRules = everyStoreRule): Load {
  const hard = loadHardState(store);
  if (hard === undefined) {
    return {
      loaded: { hard: empty, snapshot: undefined, base: start, entries: [] },
      recovery: { isEmpty: true, tornRows: 0, damagedFrom: undefined },
      repairs: [],
    };
  }
  const boundsValue = store.get('quorum', boundsKey);
  const bounds = boundsValue === undefined ? undefined : readBounds(boundsValue);
  const snapshot = loadSnapshot(store, rules);
  const found = loadLog(store, { base: bounds?.base, snapshot }, rules);
  const { base, entries, stray } = found;
  const durableTo = rules.trustsGroups ? found.durableTo : 0;
  const last = entries.at(-1)?.index ?? base.index;
  // Without bounds nobody knows what was acknowledged.
  const recordedTo = bounds?.lastIndex ?? Number.POSITIVE_INFINITY;
  // What the snapshot covers had been stored, whatever the bounds say.
  const coveredTo = snapshot === 'damaged' ? 0 : (snapshot?.index ?? 0);
  const lostTo = Math.max(rules.comparesBounds ? recordedTo : last, durableTo, coveredTo);
  const isDamaged = last < lostTo || snapshot === 'damaged';
  const kept = entries.filter(({ index }) => index <= lostTo);
  const marked = isDamaged && rules.marksDamage ? withDamage(hard, lostTo) : hard;
  const loaded = {
    hard: marked,
    snapshot: snapshot === 'damaged' ? undefined : snapshot,
    base,
    entries: kept,
  };
  const end = kept.at(-1)?.index ?? base.index;
  const torn = stray + entries.length - kept.length;
  const isRebased = bounds !== undefined && base.index !== bounds.base.index;
  const damagedFrom = isDamaged ? logIndex(end + 1) : undefined;
  return {
    loaded,
    recovery: { isEmpty: false, tornRows: isDamaged ? 0 : torn, damagedFrom },
    repairs: isDamaged || torn > 0 || isRebased ? repairsFor(store, loaded, isDamaged) : [],
  };
}

/** Undefined for a store that was never used; a bad row means that a vote may be forgotten. */
function loadHardState(store: KeyValueStore): HardState | undefined {
  const value = store.get('quorum', hardStateKey);
  if (value === undefined) {
    for (const _ of store.range('quorum-log', { limit: 1 })) throw voteLost();
    if (store.get('quorum', boundsKey) !== undefined) throw voteLost();
    return undefined;
  }
  const hard = readHardState(value);
  if (hard === undefined) throw voteLost();
  return hard;
}

function voteLost(): HighwaterError {
  const instead = 'empty this storage and add the node to the quorum as another voter';
  return new HighwaterError('DAMAGED_LOG', `the vote of this controller is damaged: ${instead}`);
}

function loadSnapshot(store: KeyValueStore, rules: StoreRules): Snapshot | 'damaged' | undefined {
  const value = store.get('quorum', snapshotKey);
  if (value === undefined) return undefined;
  const row = readSnapshotRow(value);
  if (row === undefined) return 'damaged';
  const { head, chunks } = row;
  const parts: Buffer[] = [];
  for (let chunk = 0; chunk < chunks; chunk++) {
    const part = store.get('quorum-snapshot', chunkKey(head.index, chunk));
    if (part === undefined) return 'damaged';
    parts.push(part);
  }
  const data = Buffer.concat(parts);
  const isWhole = data.length === head.bytes && crc32c(data) === head.checksum;
  return isWhole || !rules.checksSnapshot ? { ...head, data } : 'damaged';
}

/**
 * The log from where nothing is missing between the snapshot and it (rule B4.11). Entries before the
 * snapshot are only kept for others: where they are bad, the log begins at the snapshot.
 */
function loadLog(
  store: KeyValueStore,
  known: {
    readonly base: LogPosition | undefined;
    readonly snapshot: Snapshot | 'damaged' | undefined;
  },
  rules: StoreRules,
): FoundEntries & { readonly base: LogPosition } {
  const { base: recorded, snapshot } = known;
  const covered = snapshot === 'damaged' ? start : (snapshot ?? start);
  const atSnapshot = { index: covered.index, term: covered.term };
  const isUsable = snapshot !== 'damaged' && (recorded?.index ?? covered.index) <= covered.index;
  const base = isUsable ? (recorded ?? atSnapshot) : atSnapshot;
  const found = loadEntries(store, base);
  const last = found.entries.at(-1)?.index ?? base.index;
  if (last >= covered.index || !rules.leavesNoHole) return { ...found, base };
  return { ...loadEntries(store, atSnapshot), base: atSnapshot };
}

interface FoundEntries {
  /** Good ones from the base on. */
  readonly entries: readonly LogEntry[];
  /** Rows behind the first that is missing or bad. */
  readonly stray: number;
  /** How far the log was durable by the word of any good row, one behind a bad one included. */
  readonly durableTo: number;
}

function loadEntries(store: KeyValueStore, base: LogPosition): FoundEntries {
  const entries: LogEntry[] = [];
  let term = base.term;
  let stray = 0;
  let durableTo = 0;
  for (const { key, value } of store.range('quorum-log', { from: entryKey(base.index + 1) })) {
    const index = base.index + entries.length + 1;
    const stored = readEntry(value);
    durableTo = Math.max(durableTo, stored?.durableBefore ?? 0);
    const isNext = stray === 0 && key.equals(entryKey(index)) && stored?.entry.index === index;
    if (stored === undefined || !isNext || stored.entry.term < term) {
      stray++;
      continue;
    }
    term = stored.entry.term;
    entries.push(stored.entry);
  }
  return { entries, stray, durableTo };
}

function withDamage(hard: HardState, lostTo: number): HardState {
  const before = hard.damage?.lostTo ?? 0;
  return { ...hard, damage: { term: hard.term, lostTo: Math.max(before, lostTo) } };
}

/** Sets bad rows aside, or drops torn ones, and makes the mark and the bounds durable with it. */
function repairsFor(
  store: KeyValueStore,
  { hard, snapshot, base, entries }: LoadedQuorum,
  isDamaged: boolean,
): readonly KeyValueChange[] {
  const lastIndex = entries.at(-1)?.index ?? base.index;
  const from = entryKey(lastIndex + 1);
  const changes: KeyValueChange[] = [
    { table: 'quorum-log', key: from, removeTo: entryKey(Number.MAX_SAFE_INTEGER) },
    { table: 'quorum-log', key: entryKey(0), removeTo: entryKey(base.index + 1) },
    { table: 'quorum', key: boundsKey, value: boundsRow({ base, lastIndex }) },
    { table: 'quorum', key: hardStateKey, value: hardStateRow(hard) },
  ];
  if (!isDamaged) return changes;
  if (snapshot === undefined) changes.push({ table: 'quorum', key: snapshotKey, value: undefined });
  const aside = [...store.range('quorum-log', { from })].map(({ key, value }) => ({
    table: 'quorum-damaged',
    key,
    value,
  }));
  return [...aside, ...changes];
}
