import { expect, it } from 'vitest';
import { found } from '../../controller/founding.ts';
import { createMember } from '../../controller/raft/core/quorum-member.ts';
import { openQuorumStore } from '../../controller/raft/store.ts';
import { quorumTables } from '../../controller/raft/store-rows.ts';
import { clusterId } from '../../proto/model/ids.ts';
import { MemoryKeyValueStorage } from '../../proto/ports/memory/memory-key-value.ts';
import { uuid } from '../proto/metadata/metadata-builders.ts';
import { voterOf } from '../scenario/raft/core-cluster.ts';

it('of the voters that have just founded a cluster, the first stands for election almost at once', async () => {
  const voters = [1, 2, 3].map(voterOf);
  const timing = {
    electionMs: 1_000,
    heartbeatMs: 100,
    appendBytesMax: 1_000,
    inFlightBytesMax: 1_000,
    chunkBytes: 1_000,
    snapshotBytesMax: 1_000,
    trailingBytes: 1_000,
  };
  const dueMs: number[] = [];
  for (const { id: self } of voters) {
    const store = await new MemoryKeyValueStorage()
      .mount()
      .open('meta', { durability: 'synced', tables: quorumTables });
    await found(await openQuorumStore(store), clusterId(uuid(9)), voters);
    const { loaded } = await openQuorumStore(store);
    dueMs.push(createMember({ self, timing, ...loaded, now: 0, random: 0.5 }).electionDueAt);
  }
  expect(dueMs).toEqual([20, 500, 500]);
});
