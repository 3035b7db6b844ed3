import { describe, expect, it } from 'vitest';
import type { PersistEffect } from '../../../controller/raft/core/effects.ts';
import type { LogEntry } from '../../../controller/raft/core/entry.ts';
import { formQuorum } from '../../../controller/raft/formation.ts';
import { openQuorumStore } from '../../../controller/raft/store.ts';
import {
  boundsKey,
  entryKey,
  hardStateKey,
  quorumTables,
} from '../../../controller/raft/store-rows.ts';
import { logIndex, term as makeTerm } from '../../../proto/model/offset.ts';
import type { KeyValueStore } from '../../../proto/ports/key-value.ts';
import { MemoryKeyValueStorage } from '../../../proto/ports/memory/memory-key-value.ts';
import { SeededRandom } from '../../../proto/ports/memory/seeded-random.ts';
import { crc32c } from '../../../proto/wire/crc32c.ts';
import { voterOf } from '../../scenario/raft/core-cluster.ts';

function opened(storage: MemoryKeyValueStorage): Promise<KeyValueStore> {
  return storage.mount().open('meta', { durability: 'synced', tables: quorumTables });
}

function entry(index: number, term = 1): LogEntry {
  const data = Buffer.from(`change ${index}`);
  return { index: logIndex(index), term: makeTerm(term), body: { kind: 'command', data } };
}

function append(...entries: readonly LogEntry[]): PersistEffect {
  return { kind: 'append', entries };
}

function snapshotAt(index: number, text: string) {
  const data = Buffer.from(text);
  const checksum = crc32c(data);
  const voters = [voterOf(1)];
  return { index: logIndex(index), term: makeTerm(1), voters, bytes: data.length, checksum, data };
}

/** A store with the formation and entries 2 to 5, in two writes. */
async function filled(): Promise<MemoryKeyValueStorage> {
  const storage = new MemoryKeyValueStorage();
  const store = await formQuorum(await opened(storage), [voterOf(1), voterOf(2)]);
  await store.persist([append(entry(2), entry(3))]);
  await store.persist([append(entry(4), entry(5))]);
  return storage;
}

async function spoil(storage: MemoryKeyValueStorage, table: string, key: Buffer): Promise<void> {
  const store = await opened(storage);
  const value = Buffer.from(store.get(table, key) ?? Buffer.alloc(8));
  value.writeUInt8(value.readUInt8(value.length - 1) ^ 1, value.length - 1);
  await store.commit([{ table, key, value }]);
}

describe('the store of a quorum member', () => {
  it('gives back what was persisted, and an empty one says so', async () => {
    const storage = await filled();
    const hard = { term: makeTerm(7), vote: voterOf(2).id, damage: undefined };
    const store = await openQuorumStore(await opened(storage));
    await store.persist([{ kind: 'persist-hard-state', hard }]);
    const { loaded, recovery } = await openQuorumStore(await opened(storage));
    expect(loaded.hard).toEqual(hard);
    expect(loaded.entries.map(({ index }) => index)).toEqual([1, 2, 3, 4, 5]);
    expect(loaded.entries[4]).toEqual(entry(5));
    expect(recovery).toEqual({ isEmpty: false, tornRows: 0, damagedFrom: undefined });
    const fresh = await openQuorumStore(await opened(new MemoryKeyValueStorage()));
    expect(fresh.recovery.isEmpty).toBe(true);
  });

  it('forms once: a second formation changes nothing', async () => {
    const storage = await filled();
    const again = await formQuorum(await opened(storage), [voterOf(3)]);
    expect(again.loaded.entries).toHaveLength(5);
  });

  it('loses a write that was not flushed as a whole', async () => {
    const storage = await filled();
    const store = await openQuorumStore(await opened(storage));
    const hard = { term: makeTerm(2), vote: undefined, damage: undefined };
    void store.persist([{ kind: 'persist-hard-state', hard }, append(entry(6, 2))]).catch(() => {});
    storage.crash(new SeededRandom(1), 'drop');
    const { loaded, recovery } = await openQuorumStore(await opened(storage));
    expect([loaded.hard.term, loaded.entries.length, recovery.damagedFrom]).toEqual([
      1,
      5,
      undefined,
    ]);
  });

  it('replaces what it cuts, and does not take that for damage', async () => {
    const storage = await filled();
    const store = await openQuorumStore(await opened(storage));
    await store.persist([{ kind: 'cut', from: logIndex(3) }, append(entry(3, 2))]);
    const { loaded, recovery } = await openQuorumStore(await opened(storage));
    expect(loaded.entries.map(({ term }) => term)).toEqual([1, 1, 2]);
    expect(recovery.damagedFrom).toBeUndefined();
  });

  it('trims the log behind a snapshot, and begins anew after an installed one', async () => {
    const storage = await filled();
    const store = await openQuorumStore(await opened(storage));
    const trimTo = { index: logIndex(3), term: makeTerm(1) };
    await store.persist([{ kind: 'save-snapshot', snapshot: snapshotAt(4, 'four'), trimTo }]);
    const saved = (await openQuorumStore(await opened(storage))).loaded;
    expect([saved.snapshot?.index, saved.base.index]).toEqual([4, 3]);
    expect(saved.entries.map(({ index }) => index)).toEqual([4, 5]);
    await store.persist([
      { kind: 'install-snapshot', snapshot: snapshotAt(9, 'nine') },
      append(entry(10)),
    ]);
    const installed = (await openQuorumStore(await opened(storage))).loaded;
    expect(Buffer.from(installed.snapshot?.data ?? []).toString()).toBe('nine');
    expect(installed.entries.map(({ index }) => index)).toEqual([10]);
  });

  it('marks a bad entry as damage, durably, and sets the bytes aside', async () => {
    const storage = await filled();
    await spoil(storage, 'quorum-log', entryKey(3));
    const { loaded, recovery } = await openQuorumStore(await opened(storage));
    expect(recovery.damagedFrom).toBe(3);
    expect(loaded.hard.damage).toEqual({ term: 1, lostTo: 5 });
    expect(loaded.entries.map(({ index }) => index)).toEqual([1, 2]);
    const keyValues = await opened(storage);
    expect([...keyValues.range('quorum-damaged', {})]).toHaveLength(3);
    const again = await openQuorumStore(keyValues);
    expect(again.loaded.hard.damage).toEqual({ term: 1, lostTo: 5 });
  });

  it('takes a log that ends before its bounds for damaged, not for short', async () => {
    const storage = await filled();
    const keyValues = await opened(storage);
    await keyValues.commit([{ table: 'quorum-log', key: entryKey(5), value: undefined }]);
    const { loaded, recovery } = await openQuorumStore(keyValues);
    expect([recovery.damagedFrom, loaded.hard.damage?.lostTo]).toEqual([5, 5]);
  });

  it('cuts rows beyond the bounds: they belong to a write that did not end', async () => {
    const storage = await filled();
    const keyValues = await opened(storage);
    await keyValues.commit([{ table: 'quorum-log', key: entryKey(6), value: Buffer.from('torn') }]);
    const { loaded, recovery } = await openQuorumStore(keyValues);
    expect([loaded.entries.length, recovery.tornRows, loaded.hard.damage]).toEqual([
      5,
      1,
      undefined,
    ]);
    expect((await openQuorumStore(keyValues)).recovery.tornRows).toBe(0);
  });

  it('does not need entries before the snapshot: bad ones there are no damage', async () => {
    const storage = await filled();
    const store = await openQuorumStore(await opened(storage));
    const trimTo = { index: logIndex(1), term: makeTerm(1) };
    await store.persist([{ kind: 'save-snapshot', snapshot: snapshotAt(4, 'four'), trimTo }]);
    await spoil(storage, 'quorum-log', entryKey(2));
    const { loaded, recovery } = await openQuorumStore(await opened(storage));
    expect([loaded.base.index, loaded.entries.length, recovery.damagedFrom]).toEqual([
      4,
      1,
      undefined,
    ]);
  });

  it('knows nothing to be kept where the bounds are bad, and refuses to start without its vote', async () => {
    const storage = await filled();
    await spoil(storage, 'quorum', boundsKey);
    const { loaded } = await openQuorumStore(await opened(storage));
    expect(loaded.hard.damage?.lostTo).toBe(Number.POSITIVE_INFINITY);
    await spoil(storage, 'quorum', hardStateKey);
    await expect(openQuorumStore(await opened(storage))).rejects.toMatchObject({
      code: 'DAMAGED_LOG',
    });
  });

  it('with a bad snapshot begins from nothing, damaged', async () => {
    const storage = await filled();
    const store = await openQuorumStore(await opened(storage));
    const trimTo = { index: logIndex(3), term: makeTerm(1) };
    await store.persist([{ kind: 'save-snapshot', snapshot: snapshotAt(4, 'four'), trimTo }]);
    const keyValues = await opened(storage);
    const [chunk] = [...keyValues.range('quorum-snapshot', {})];
    await spoil(storage, 'quorum-snapshot', chunk?.key ?? Buffer.alloc(0));
    const { loaded } = await openQuorumStore(await opened(storage));
    expect([loaded.snapshot, loaded.base.index, loaded.entries.length]).toEqual([undefined, 0, 0]);
    expect(loaded.hard.damage?.lostTo).toBe(5);
  });
});
