import { expect, it } from 'vitest';
import { found } from '../../controller/founding.ts';
import { goOnAlone, surveyController } from '../../controller/lost-quorum.ts';
import { openQuorumStore } from '../../controller/raft/store.ts';
import { quorumTables } from '../../controller/raft/store-rows.ts';
import { encodeRecords, record } from '../../proto/metadata/records.ts';
import { clusterId, nodeId, partitionNumber } from '../../proto/model/ids.ts';
import { brokerEpoch, logIndex, term } from '../../proto/model/offset.ts';
import type { KeyValueStore } from '../../proto/ports/key-value.ts';
import { MemoryKeyValueStorage } from '../../proto/ports/memory/memory-key-value.ts';
import { nodes, registered, state, topicWith, uuid } from '../proto/metadata/metadata-builders.ts';
import { voterOf } from '../scenario/raft/core-cluster.ts';

const unfenced = [1, 2, 3].map((id) =>
  record('brokerUnfenced', { nodeId: nodeId(id), brokerEpoch: brokerEpoch(3) }),
);

/** One of three voters, with three brokers and a topic. */
async function survivor(): Promise<KeyValueStore> {
  const store = await new MemoryKeyValueStorage()
    .mount()
    .open('meta', { durability: 'synced', tables: quorumTables });
  const quorum = await openQuorumStore(store);
  await found(quorum, clusterId(uuid(9)), [1, 2, 3].map(voterOf));
  const changes = [[1, 2, 3].map((id) => registered(id)), unfenced, [topicWith(state([1, 2, 3]))]];
  await (await openQuorumStore(store)).persist([
    {
      kind: 'append',
      entries: changes.map((records, at) => ({
        index: logIndex(3 + at),
        term: term(2),
        body: { kind: 'command', data: encodeRecords(records) },
      })),
    },
  ]);
  return store;
}

it('a survivor tells how far it has come, and is not changed by that', async () => {
  const store = await survivor();
  const survey = surveyController(store);
  expect(survey).toMatchObject({ lastIndex: 5, lastTerm: 2, damagedFrom: undefined });
  expect(survey.voters.map(({ nodeId: node }) => node)).toEqual([1, 2, 3]);
  expect(surveyController(store)).toEqual(survey);
});

it('a survivor goes on alone, beyond everything that the lost history can have reached', async () => {
  const store = await survivor();
  const before = surveyController(store);
  await goOnAlone(store, voterOf(1));
  const after = surveyController(store);
  expect(after.damagedFrom).toBeUndefined();
  expect(after.voters).toEqual([voterOf(1)]);
  expect(after.image.voters.map(({ nodeId: node }) => node)).toEqual([1]);
  expect(after.term).toBeGreaterThan(before.term + 1000);
  expect(after.lastIndex).toBeGreaterThan(before.lastIndex + 1_000_000);
  expect(after.image.revision).toBe(after.lastIndex);
  expect(after.image.clusterId).toBe(before.image.clusterId);
  expect(after.image.nextProducerId).toBeGreaterThan(before.image.nextProducerId + 1_000_000);
});

it('nobody leads or is in sync at first, and who was in sync is eligible', async () => {
  const store = await survivor();
  await goOnAlone(store, voterOf(1));
  const { topics, brokers } = surveyController(store).image;
  const partition = [...topics.values()][0]?.partitions.get(partitionNumber(0));
  expect(partition).toMatchObject({ isr: [], elr: nodes(1, 2, 3), leader: undefined });
  expect(partition?.leaderEpoch).toBeGreaterThan(1000);
  expect([...brokers.values()].map((broker) => broker.state)).toEqual([
    'fenced',
    'fenced',
    'fenced',
  ]);
});
