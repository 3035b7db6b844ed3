import { expect, it } from 'vitest';
import {
  emptyGroup,
  type GroupState,
  partitionKey,
  replay,
} from '../../../../broker/group/core/group-state.ts';
import {
  assignmentOf,
  type Decided,
  decideJoin,
  decideOwned,
  decideRemoval,
  type Refusal,
} from '../../../../broker/group/core/membership.ts';
import { decideCommit, decideDelete } from '../../../../broker/group/core/offsets.ts';
import { returnGraceMs, sessionEndsAt } from '../../../../broker/group/core/sessions.ts';
import { leaderEpoch, offset } from '../../../../proto/model/offset.ts';
import { imageWithTopics, joining, topicNumber } from '../group-builders.ts';

const image = imageWithTopics({ a: 4, b: 2, __groups: 3 });
const key = (number: number) => partitionKey(topicNumber('a'), number);

function after(group: GroupState, decision: Decided | Refusal): GroupState {
  if (decision.kind === 'refused') throw new Error(decision.message);
  const groups = new Map([[group.group, group]]);
  for (const record of decision.records) replay(groups, record, 0);
  return groups.get(group.group) ?? group;
}

function sizes(group: GroupState): number[] {
  return Array.from(group.members.values(), (member) => assignmentOf(member).size);
}

it('a partition moves only after its holder has released it', () => {
  let group = after(emptyGroup('g'), decideJoin(emptyGroup('g'), joining('m1', ['a']), image));
  group = after(group, decideJoin(group, joining('m2', ['a']), image));
  expect(sizes(group)).toEqual([2, 0]);
  const partitions = new Set([...assignmentOf(group.members.get('m1') as never).keys()]);
  const stale = { member: 'm1', generation: 1, partitions };
  expect(decideOwned(group, stale, image).records).toEqual([]);
  group = after(group, decideOwned(group, { ...stale, generation: 2 }, image));
  expect(sizes(group)).toEqual([2, 2]);
});

it('what a member held is free at once when its session ends', () => {
  let group = after(emptyGroup('g'), decideJoin(emptyGroup('g'), joining('m1', ['a']), image));
  group = after(group, decideJoin(group, joining('m2', ['a']), image));
  group = after(group, decideRemoval(group, ['m1'], image));
  expect(sizes(group)).toEqual([4]);
});

it('a static member that was restarted takes its place, and its predecessor commits nothing more', () => {
  const instance = { instance: 'one' };
  let group = after(
    emptyGroup('g'),
    decideJoin(emptyGroup('g'), joining('m1', ['a'], instance), image),
  );
  const before = group.generation;
  group = after(group, decideJoin(group, joining('m2', ['a'], instance), image));
  expect([...group.members.keys()]).toEqual(['m2']);
  expect(sizes(group)).toEqual([4]);
  const one = {
    partition: key(0),
    offset: offset(5),
    leaderEpoch: leaderEpoch(1),
    note: '',
    committedAtMs: 0,
  };
  const old = { member: 'm1', generation: before, offsets: [one] };
  expect(decideCommit(group, old).refusals).toEqual(['UNKNOWN_MEMBER']);
  expect(decideCommit(group, { ...old, member: 'm2' }).refusals).toEqual(['STALE_GENERATION']);
  const fresh = { member: 'm2', generation: group.generation, offsets: [one] };
  expect(decideCommit(group, fresh).refusals).toEqual([undefined]);
});

it('a member that comes back as it was changes nothing', () => {
  const group = after(emptyGroup('g'), decideJoin(emptyGroup('g'), joining('m1', ['a']), image));
  expect(decideJoin(group, joining('m1', ['a']), image)).toEqual({ kind: 'decided', records: [] });
});

it('a pattern takes the topics that match, and never the internal ones', () => {
  const all = { subscription: { topics: [], pattern: '.*' } };
  const group = after(emptyGroup('g'), decideJoin(emptyGroup('g'), joining('m1', [], all), image));
  expect(sizes(group)).toEqual([6]);
  const bad = { subscription: { topics: [], pattern: '(' } };
  expect(decideJoin(group, joining('m2', [], bad), image)).toMatchObject({
    code: 'INVALID_REQUEST',
  });
});

it('a group with members is not deleted, and nobody commits to it from outside', () => {
  const group = after(emptyGroup('g'), decideJoin(emptyGroup('g'), joining('m1', ['a']), image));
  expect(decideDelete(group)).toMatchObject({ code: 'GROUP_NOT_EMPTY' });
  const one = {
    partition: key(0),
    offset: offset(5),
    leaderEpoch: leaderEpoch(1),
    note: '',
    committedAtMs: 0,
  };
  const outside = { member: '', generation: 0, offsets: [one] };
  expect(decideCommit(group, outside).refusals).toEqual(['GROUP_NOT_EMPTY']);
  const empty = after(group, decideRemoval(group, ['m1'], image));
  expect(decideCommit(empty, outside).refusals).toEqual([undefined]);
  expect(decideDelete(empty)).toMatchObject({ kind: 'decided' });
});

it('a closed stream shortens the session of a dynamic member, not that of a static one', () => {
  const group = after(emptyGroup('g'), decideJoin(emptyGroup('g'), joining('m1', ['a']), image));
  const member = group.members.get('m1');
  if (member === undefined) throw new Error('m1 has joined');
  const session = { heardMs: 100, lostMs: 200 };
  expect(sessionEndsAt(member, session)).toBe(200 + returnGraceMs);
  expect(sessionEndsAt({ ...member, instance: 'one' }, session)).toBe(10_100);
});
