import { expect, test } from 'vitest';
import { nodeId } from '../../../../proto/model/ids.ts';
import { partitionEpoch } from '../../../../proto/model/offset.ts';
import { leader, metadata, nodes, only, open, produce, report, stored, take } from './builders.ts';

/** Node 1 leads, and all three have stored its one record. */
function storedByAll(): ReturnType<typeof leader> {
  const state = leader();
  produce(state);
  stored(state, 1);
  report(state, 2, 1);
  report(state, 3, 1);
  return state;
}

test('a replica that was moved away and comes back is not let in for what it had stored before', () => {
  const isr = nodes(1, 2);
  const others = metadata().replicas.filter((replica) => replica.nodeId !== nodeId(3));
  const gone = metadata({ isr, replicas: others, partitionEpoch: partitionEpoch(2) });
  const back = metadata({ isr, partitionEpoch: partitionEpoch(3) });
  const state = storedByAll();

  const [refused] = only(take(state, { kind: 'metadata', metadata: gone }), 'answer-open');
  expect(refused).toMatchObject({ follower: 3, stream: 1, answer: { kind: 'refused' } });
  expect(only(take(state, { kind: 'metadata', metadata: back }), 'propose')).toEqual([]);

  open(state, 3, 2);
  const [joins] = only(report(state, 3, 1, 2), 'propose');
  expect(joins?.proposal.isr.map((member) => member.nodeId)).toEqual([1, 2, 3]);
});

test('a replica that was moved away and back in one change of metadata is not let in for what it had stored before', () => {
  const isr = nodes(1, 2);
  const back = metadata({ isr, partitionEpoch: partitionEpoch(3) });
  const state = storedByAll();

  const effects = take(state, { kind: 'metadata', metadata: back });
  const refused = only(effects, 'answer-open').map(({ follower, answer }) => [
    follower,
    answer.kind,
  ]);
  expect(refused).toEqual([[3, 'refused']]);
  expect(only(effects, 'propose')).toEqual([]);
  expect(only(report(state, 3, 1), 'propose')).toEqual([]);

  open(state, 3, 2);
  const [joins] = only(report(state, 3, 1, 2), 'propose');
  expect(joins?.proposal.isr.map((member) => member.nodeId)).toEqual([1, 2, 3]);
});

test('a replica that one change takes out of the in-sync set keeps its stream', () => {
  const state = leader();
  const out = metadata({ isr: nodes(1, 2), partitionEpoch: partitionEpoch(2) });
  expect(only(take(state, { kind: 'metadata', metadata: out }), 'answer-open')).toEqual([]);
});
