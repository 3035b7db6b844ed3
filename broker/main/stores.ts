/** The stores of a node's directory: what must be transactional, what can be rebuilt, and the logs. */
import { quorumTables } from '../../controller/raft/store-rows.ts';
import type { TopicImage } from '../../proto/metadata/image.ts';
import type { TopicId } from '../../proto/model/ids.ts';
import type { NodeSettings } from '../../proto/model/node-settings.ts';
import type { KeyValueStore } from '../../proto/ports/key-value.ts';
import type { DataDirectory } from '../log/data-directory.ts';
import { indexTables } from '../log/index-store.ts';
import { LogDirectory } from '../log/log-directory.ts';
import { logTables } from '../log/log-store.ts';
import { logConfigOf } from '../partitions/partition-facts.ts';
import type { Machine } from './machine.ts';
import { sharesOf } from './memory-shares.ts';

export interface StoresOptions {
  readonly directory: DataDirectory;
  readonly machine: Machine;
  readonly settings: NodeSettings;
  readonly topicOf: (topicId: TopicId) => TopicImage | undefined;
  onFatal(caught: unknown): void;
}

export interface Stores {
  readonly meta: KeyValueStore;
  readonly index: KeyValueStore;
  readonly logs: LogDirectory;
}

/** Opens and recovers. Indexes are made anew after a stop that was not clean. */
export async function openStores(options: StoresOptions): Promise<Stores> {
  const { directory, machine, settings, topicOf } = options;
  const { tailCacheBytes, unstoredBytesMax, unstoredBytesPerLogMax } = sharesOf(
    Number(settings.get('memory-bytes')),
  );
  const { keyValue, clock, logger } = machine;
  const meta = await keyValue.open(`${directory.path}/meta`, {
    durability: 'synced',
    tables: [...logTables, ...quorumTables],
  });
  if (directory.cleanStop === undefined) await keyValue.wipe(`${directory.path}/index`);
  const index = await keyValue.open(`${directory.path}/index`, {
    durability: 'unsynced',
    tables: indexTables,
  });
  const logs = await LogDirectory.open({
    directory,
    clock,
    logger,
    meta,
    index,
    limits: {
      reserveBytes: Number(settings.get('disk-reserve-bytes')),
      stalledMs: Number(settings.get('disk-stall-ms')),
      retentionCheckMs: Number(settings.get('retention-check-ms')),
      compactionCheckMs: Number(settings.get('cleaner-check-ms')),
      compactionBytesPerSecond: Number(settings.get('cleaner-bytes-per-second')),
      compactionMapBytesMax: Number(settings.get('cleaner-memory-bytes')),
      scrubBytesPerSecond: Number(settings.get('scrub-bytes-per-second')),
      tailCacheBytes,
      unstoredBytesMax,
      unstoredBytesPerLogMax,
      ...machine.logLimits,
    },
    configOf: (key) => logConfigOf(topicOf(key.topicId)),
    onFatal: (caught) => options.onFatal(caught),
  });
  return { meta, index, logs };
}
