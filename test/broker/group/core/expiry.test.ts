import { expect, it } from 'vitest';
import { decideExpiry } from '../../../../broker/group/core/expiry.ts';
import {
  emptyGroup,
  type GroupRecord,
  type GroupState,
  type Groups,
  partitionKey,
  replay,
} from '../../../../broker/group/core/group-state.ts';
import { decideJoin, decideRemoval } from '../../../../broker/group/core/membership.ts';
import { decideCommit } from '../../../../broker/group/core/offsets.ts';
import { leaderEpoch, offset } from '../../../../proto/model/offset.ts';
import { imageWithTopics, joining, topicNumber } from '../group-builders.ts';

const image = imageWithTopics({ a: 1_500, b: 1 });
const retentionMs = 1_000;

/** One group, and what becomes of it. */
class Story {
  readonly groups: Groups = new Map([['g', emptyGroup('g')]]);

  get group(): GroupState | undefined {
    return this.groups.get('g');
  }

  get #group(): GroupState {
    return this.group ?? emptyGroup('g');
  }

  take(records: readonly GroupRecord[], atMs: number): void {
    for (const record of records) replay(this.groups, record, atMs);
  }

  join(atMs: number): void {
    const decision = decideJoin(this.#group, joining('m1', ['a', 'b']), image);
    this.take(decision.kind === 'decided' ? decision.records : [], atMs);
  }

  leave(atMs: number): void {
    this.take(decideRemoval(this.#group, ['m1'], image).records, atMs);
  }

  commit(topic: string, count: number, atMs: number): void {
    const offsets = Array.from({ length: count }, (_, number) => ({
      partition: partitionKey(topicNumber(topic), number),
      offset: offset(5),
      leaderEpoch: leaderEpoch(1),
      note: '',
      committedAtMs: atMs,
    }));
    const { members, generation } = this.#group;
    const commit = { member: members.size > 0 ? 'm1' : '', generation, offsets };
    this.take(decideCommit(this.#group, commit).records, atMs);
  }

  expire(nowMs: number, topics = image.topics): number {
    this.take(decideExpiry(this.#group, topics, { nowMs, retentionMs }), nowMs);
    return this.group?.offsets.size ?? 0;
  }
}

it('a group with members keeps its offsets, however old they are', () => {
  const story = new Story();
  story.join(100);
  story.commit('b', 1, 200);
  expect(story.expire(1_000_000)).toBe(1);
});

it('offsets go one retention after the last member left, and the group with them', () => {
  const story = new Story();
  story.join(100);
  story.commit('b', 1, 200);
  story.leave(5_000);
  expect(story.expire(6_000)).toBe(1);
  expect(story.expire(6_001)).toBe(0);
  expect(story.group).toBeUndefined();
});

it('an offset committed from outside goes one retention after its commit, not with older ones', () => {
  const story = new Story();
  story.commit('a', 2, 100);
  story.commit('b', 1, 900);
  expect(story.expire(1_101)).toBe(1);
  expect(story.expire(1_900)).toBe(1);
  expect(story.expire(1_901)).toBe(0);
  expect(story.group).toBeUndefined();
});

it('a group that somebody came back to keeps what it had', () => {
  const story = new Story();
  story.commit('b', 1, 100);
  story.join(1_000);
  expect(story.expire(9_000)).toBe(1);
});

it('offsets of a topic that the metadata does not mention go with their age alone', () => {
  const story = new Story();
  story.join(100);
  story.commit('a', 1, 200);
  story.commit('b', 1, 200);
  const { topics } = imageWithTopics({ a: 1 });
  expect(story.expire(1_200, topics)).toBe(2);
  expect(story.expire(1_201, topics)).toBe(1);
  expect(story.group?.members.size).toBe(1);
});

it('a group of many offsets goes in several decisions, the group itself with the last', () => {
  const story = new Story();
  story.commit('a', 1_500, 100);
  expect(story.expire(5_000)).toBe(500);
  expect(story.group).toBeDefined();
  expect(story.expire(5_000)).toBe(0);
  expect(story.group).toBeUndefined();
});
