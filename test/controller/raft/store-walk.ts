/**
 * Random writes of a quorum member's store, a crash among them, and at last one row that went bad
 * underneath. Whatever was acknowledged is there afterwards, or the store says that it is damaged.
 */
import type { PersistEffect, Snapshot } from '../../../controller/raft/core/effects.ts';
import type { LogEntry, LogPosition } from '../../../controller/raft/core/entry.ts';
import type { StoreRules } from '../../../controller/raft/core/store-rules.ts';
import { formQuorum } from '../../../controller/raft/formation.ts';
import { openQuorumStore, type QuorumStore } from '../../../controller/raft/store.ts';
import type { LoadedQuorum } from '../../../controller/raft/store-load.ts';
import { boundsKey, quorumTables } from '../../../controller/raft/store-rows.ts';
import { invariant } from '../../../proto/model/invariant.ts';
import { logIndex, term as makeTerm } from '../../../proto/model/offset.ts';
import type { KeyValueChange, KeyValueStore } from '../../../proto/ports/key-value.ts';
import { MemoryKeyValueStorage } from '../../../proto/ports/memory/memory-key-value.ts';
import { SeededRandom } from '../../../proto/ports/memory/seeded-random.ts';
import { crc32c } from '../../../proto/wire/crc32c.ts';
import { voterOf } from '../../scenario/raft/core-cluster.ts';

/** What was acknowledged. */
interface Known {
  readonly snapshot: Snapshot | undefined;
  readonly base: LogPosition;
  readonly entries: readonly LogEntry[];
}

const voters = [voterOf(1), voterOf(2)];

export async function walkStore(seed: number, rules: StoreRules): Promise<void> {
  const random = new SeededRandom(seed);
  const storage = new MemoryKeyValueStorage();
  const formed = await formQuorum(await opened(storage), voters);
  let known: Known = knownOf(formed.loaded);
  let store = await openQuorumStore(await opened(storage), rules);
  const olderBounds: (Buffer | undefined)[] = [];
  /** Where the log ended before the last group of entries, which says so itself. */
  let groupFrom = 0;
  for (let step = 2 + random.below(12); step > 0; step--) {
    const { effects, after } = draw(random, known, step);
    olderBounds.push((await opened(storage)).get('quorum', boundsKey));
    for (const effect of effects) {
      if (effect.kind === 'append') groupFrom = (effect.entries[0]?.index ?? 1) - 1;
    }
    await store.persist(effects);
    known = after;
    if (random.below(4) > 0) continue;
    store = await reopenAfterCrash(random, storage, { rules, known });
  }
  const keyValues = await opened(storage);
  const isOlder = random.below(4) === 0;
  const value = olderBounds[random.below(olderBounds.length)];
  const older = { table: 'quorum', key: boundsKey, value };
  await keyValues.commit([isOlder ? older : damageOf(random, keyValues)]);
  const { loaded, recovery } = await openQuorumStore(keyValues, rules);
  const isTold = loaded.hard.damage !== undefined && recovery.damagedFrom !== undefined;
  // Nobody was told of what a write had brought whose bounds are not there: it counts as not ended.
  const promisedTo = isOlder ? groupFrom : lastOf(known);
  check(loaded, known, isTold ? 0 : promisedTo);
}

/** The next write: entries, some of them in the place of others, or a snapshot. */
function draw(
  random: SeededRandom,
  known: Known,
  step: number,
): { readonly effects: readonly PersistEffect[]; readonly after: Known } {
  const last = lastOf(known);
  const termOf = (index: number): number =>
    known.entries.find((one) => one.index === index)?.term ?? known.base.term;
  const dice = random.below(10);
  if (dice < 2 && last > known.base.index) {
    const at = known.base.index + 1 + random.below(last - known.base.index);
    const snapshot = snapshotAt(at, termOf(at), step);
    const kept = known.base.index + random.below(at - known.base.index + 1);
    const trimTo = { index: logIndex(kept), term: makeTerm(termOf(kept)) };
    const entries = known.entries.filter(({ index }) => index > kept);
    return {
      effects: [{ kind: 'save-snapshot', snapshot, trimTo }],
      after: { snapshot, base: trimTo, entries },
    };
  }
  if (dice < 3) {
    const snapshot = snapshotAt(last + 1 + random.below(5), termOf(last), step);
    const after = { snapshot, base: { index: snapshot.index, term: snapshot.term }, entries: [] };
    return { effects: [{ kind: 'install-snapshot', snapshot }], after };
  }
  const least = Math.max(known.base.index, known.snapshot?.index ?? 0);
  const isCut = dice < 5 && last > least;
  const from = isCut ? least + 1 + random.below(last - least) : last + 1;
  const term = termOf(last) + (isCut ? 1 : 0);
  const added = Array.from({ length: 1 + random.below(4) }, (_, at) => entryAt(from + at, term));
  const append: PersistEffect = { kind: 'append', entries: added };
  const kept = known.entries.filter(({ index }) => index < from);
  return {
    effects: isCut ? [{ kind: 'cut', from: logIndex(from) }, append] : [append],
    after: { ...known, entries: [...kept, ...added] },
  };
}

/** A write that was in flight is there as a whole or not at all. */
async function reopenAfterCrash(
  random: SeededRandom,
  storage: MemoryKeyValueStorage,
  { rules, known }: { readonly rules: StoreRules; readonly known: Known },
): Promise<QuorumStore> {
  storage.crash(random);
  const store = await openQuorumStore(await opened(storage), rules);
  invariant(store.recovery.damagedFrom === undefined, 'B4.15 a crash is no damage');
  check(store.loaded, known, lastOf(known));
  return store;
}

function check(loaded: LoadedQuorum, known: Known, promisedTo: number): void {
  const { base, snapshot, entries } = loaded;
  const isReached = base.index <= (snapshot?.index ?? 0);
  invariant(isReached, 'B4.11 nothing is missing between snapshot and log');
  const end = entries.at(-1)?.index ?? base.index;
  invariant(end >= (snapshot?.index ?? 0), 'B4.11 the log goes on from the snapshot');
  for (const [at, entry] of entries.entries()) {
    const original = known.entries.find(({ index }) => index === entry.index);
    const isSame = JSON.stringify(original) === JSON.stringify(entry);
    invariant(
      entry.index === base.index + 1 + at && isSame,
      'S19 entries are those that were stored',
    );
  }
  if (snapshot !== undefined) {
    const isSame = known.snapshot !== undefined && snapshot.index === known.snapshot.index;
    const isWhole = isSame && Buffer.from(known.snapshot.data).equals(snapshot.data);
    invariant(isWhole, 'B4.11 a snapshot is whole or not there');
  }
  if (promisedTo === 0) return;
  invariant(end >= promisedTo, 'B4.15 what was acknowledged is there, or its loss is told');
}

/** One row of log, bounds or snapshot has a bad bit, or is gone. */
function damageOf(random: SeededRandom, store: KeyValueStore): KeyValueChange {
  const rows = ['quorum-log', 'quorum-snapshot', 'quorum'].flatMap((table) =>
    [...store.range(table, {})]
      .filter(({ key }) => key.toString() !== 'vote')
      .map(({ key, value }) => ({ table, key, value: Buffer.from(value) })),
  );
  const row = rows[random.below(rows.length)];
  invariant(row !== undefined, 'there is a row');
  if (random.below(3) === 0) return { ...row, value: undefined };
  const at = random.below(row.value.length);
  row.value.writeUInt8(row.value.readUInt8(at) ^ (1 << random.below(8)), at);
  return row;
}

function opened(storage: MemoryKeyValueStorage): Promise<KeyValueStore> {
  return storage.mount().open('meta', { durability: 'synced', tables: quorumTables });
}

function knownOf({ snapshot, base, entries }: LoadedQuorum): Known {
  return { snapshot, base, entries };
}

function lastOf({ entries, base }: Known): number {
  return entries.at(-1)?.index ?? base.index;
}

function entryAt(index: number, term: number): LogEntry {
  const data = Buffer.from(`change ${index} of ${term}`);
  return { index: logIndex(index), term: makeTerm(term), body: { kind: 'command', data } };
}

function snapshotAt(index: number, term: number, step: number): Snapshot {
  const data = Buffer.from(`snapshot ${index} of step ${step}`);
  const bytes = data.length;
  return {
    index: logIndex(index),
    term: makeTerm(term),
    voters,
    bytes,
    checksum: crc32c(data),
    data,
  };
}
