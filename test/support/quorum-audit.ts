/**
 * The logs of stopped controllers, read from their directories and compared with what writers were
 * told. Nothing of the controllers' own answers is used: only what is on the disks counts.
 */
import { openQuorumStore } from '../../controller/raft/store.ts';
import { quorumTables } from '../../controller/raft/store-rows.ts';
import { decodeRecords } from '../../proto/metadata/records.ts';
import { lmdbKeyValueOpener } from '../../proto/ports/node/lmdb-key-value.ts';
import { nodeClock } from '../../proto/ports/node/node-clock.ts';
import type { MetadataHistory } from './metadata-writer.ts';

/** What one log says of the writers' changes. */
export interface ChangesFound {
  /** Each number, or name, and how often it was applied, by `topicId number` or `name`. */
  readonly times: ReadonlyMap<string, number>;
  /** Numbers of a topic that came after a greater one. */
  readonly disordered: number;
  /** Bytes of the entries by index, to compare logs. */
  readonly entries: ReadonlyMap<number, string>;
}

export interface MetadataVerdict {
  readonly acknowledged: number;
  /** Acknowledged, and not in the logs of a majority. */
  readonly lost: number;
  /** Applied more than once, or created and then refused as existing. */
  readonly doubled: number;
  readonly disordered: number;
  /** Indexes at which two logs differ. */
  readonly forked: number;
}

/** Reads the whole log of a stopped controller. */
export async function readQuorumLog(data: string): Promise<ChangesFound> {
  const store = await lmdbKeyValueOpener({ clock: nodeClock }).open(`${data}/meta`, {
    durability: 'synced',
    tables: quorumTables,
  });
  try {
    const { loaded, recovery } = await openQuorumStore(store);
    if (loaded.snapshot !== undefined) throw new Error('the log was trimmed: count fewer changes');
    if (recovery.damagedFrom !== undefined) throw new Error('the log is damaged');
    const found = { times: new Map<string, number>(), entries: new Map<number, string>() };
    const greatest = new Map<string, number>();
    let disordered = 0;
    for (const { index, term, body } of loaded.entries) {
      const data = body.kind === 'command' ? Buffer.from(body.data).toString('base64') : '';
      found.entries.set(index, `${term} ${body.kind} ${data}`);
      if (body.kind !== 'command') continue;
      for (const [key, topic, number] of changesOf(body.data)) {
        found.times.set(key, (found.times.get(key) ?? 0) + 1);
        if (number < (greatest.get(topic) ?? 0)) disordered++;
        greatest.set(topic, Math.max(number, greatest.get(topic) ?? 0));
      }
    }
    return { ...found, disordered };
  } finally {
    await store.close();
  }
}

function* changesOf(data: Uint8Array): Generator<readonly [key: string, topic: string, number]> {
  for (const { body } of decodeRecords(data)) {
    if (body?.kind === 'topicCreated') yield [body.value.name, body.value.name, 0];
    if (body?.kind !== 'topicConfigChanged') continue;
    const { topicId, config } = body.value;
    const number = config.get('retention.ms');
    if (number !== undefined) yield [`${topicId} ${number}`, topicId, Number(number)];
  }
}

/** Compares what was told with what is there. */
export function auditMetadata(
  histories: readonly MetadataHistory[],
  logs: readonly ChangesFound[],
): MetadataVerdict {
  const told = histories.flatMap(({ topic, topicId, set, created }) => [
    topic,
    ...created,
    ...set.map((number) => `${topicId} ${number}`),
  ]);
  const majority = Math.floor(logs.length / 2) + 1;
  const lost = told.filter(
    (key) => logs.filter(({ times }) => times.has(key)).length < majority,
  ).length;
  const twice = Math.max(
    ...logs.map(({ times }) => [...times.values()].filter((count) => count > 1).length),
  );
  const existing = histories.map(({ failures }) => failures.get('TOPIC_EXISTS') ?? 0);
  return {
    acknowledged: told.length,
    lost,
    doubled: twice + existing.reduce((sum, count) => sum + count, 0),
    disordered: Math.max(...logs.map(({ disordered }) => disordered)),
    forked: forkedBetween(logs),
  };
}

/** The end of a log may be undecided; what is followed by a later entry in both is not. */
function forkedBetween(logs: readonly ChangesFound[]): number {
  let forked = 0;
  for (const one of logs) {
    for (const other of logs) {
      const common = Math.min(one.entries.size, other.entries.size) - 1;
      for (let index = 1; index <= common; index++)
        if (one.entries.get(index) !== other.entries.get(index)) forked++;
    }
  }
  return forked;
}
