import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  emptyGroup,
  type GroupState,
  type PartitionKey,
  partitionKey,
  phaseOf,
  replay,
} from '../../../../broker/group/core/group-state.ts';
import {
  assignmentOf,
  type Decided,
  decideJoin,
  decideOwned,
  decideRemoval,
  decideTopicsChanged,
  type Refusal,
} from '../../../../broker/group/core/membership.ts';
import { decideCommit } from '../../../../broker/group/core/offsets.ts';
import { leaderEpoch, offset } from '../../../../proto/model/offset.ts';
import { imageWithTopics, joining, topicNumber } from '../group-builders.ts';

/** A member as it sees itself: what it was told, late or not at all. */
interface Actor {
  readonly told: { generation: number; partitions: Map<PartitionKey, number> }[];
  generation: number;
  held: Map<PartitionKey, number>;
  /** Believes that it is a member. */
  isAlive: boolean;
}

class Walk {
  group: GroupState = emptyGroup('g');
  readonly actors = new Map<string, Actor>();
  image = imageWithTopics({ a: 5, b: 3 });
  /** The highest offset committed by partition: the group's own must be the same. */
  readonly committed = new Map<PartitionKey, number>();

  take(decision: Decided | Refusal): void {
    if (decision.kind === 'refused') throw new Error(decision.message);
    const groups = new Map([['g', this.group]]);
    for (const record of decision.records) replay(groups, record, 0);
    this.group = groups.get('g') ?? this.group;
    for (const record of decision.records) {
      if (record.kind !== 'member') continue;
      const { generation } = this.group;
      const member = this.group.members.get(record.member.member);
      if (member === undefined) continue;
      const told = { generation, partitions: assignmentOf(member) };
      this.actors.get(member.member)?.told.push(told);
    }
    this.check();
  }

  /** Nothing is held by two, in the group's own books or in what members believe. */
  check(): void {
    const holders = new Map<PartitionKey, string>();
    for (const member of this.group.members.values()) {
      for (const key of member.held.keys()) {
        expect(holders.get(key), `${key} is held once`).toBeUndefined();
        holders.set(key, member.member);
      }
    }
    for (const [name, actor] of this.actors) {
      if (!actor.isAlive || !this.group.members.has(name)) continue;
      for (const key of actor.held.keys())
        expect(holders.get(key), `${key} is held by ${name} as it believes`).toBe(name);
    }
  }

  join(name: string, topics: readonly string[]): void {
    const actor = this.actors.get(name);
    if (actor?.isAlive !== true)
      this.actors.set(name, { told: [], generation: 0, held: new Map(), isAlive: true });
    this.take(decideJoin(this.group, joining(name, topics), this.image));
  }

  /** Hears one message and lets go of what is not in it; takes what is. */
  hear(actor: Actor): void {
    const message = actor.told.shift();
    if (message === undefined) return;
    actor.generation = message.generation;
    actor.held = new Map(message.partitions);
  }

  own(name: string, actor: Actor): void {
    const owned = {
      member: name,
      generation: actor.generation,
      partitions: new Set(actor.held.keys()),
    };
    this.take(decideOwned(this.group, owned, this.image));
  }

  commit(name: string, actor: Actor): void {
    const offsets = Array.from(actor.held.keys(), (partition) => ({
      partition,
      offset: offset((this.committed.get(partition) ?? 0) + 1),
      leaderEpoch: leaderEpoch(1),
      note: '',
      committedAtMs: 0,
    }));
    const { generation } = actor;
    const decision = decideCommit(this.group, { member: name, generation, offsets });
    decision.refusals.forEach((refusal, index) => {
      const one = offsets[index];
      if (one === undefined) return;
      const given = this.group.members.get(name)?.held.get(one.partition)?.given;
      const mayCommit = given !== undefined && actor.generation >= given;
      expect(refusal === undefined).toBe(mayCommit);
      if (refusal === undefined) this.committed.set(one.partition, one.offset);
    });
    this.take({ kind: 'decided', records: decision.records });
  }

  /** Everybody who lives hears everything and answers, until nothing changes. */
  settle(): void {
    for (let round = 0; round < 20; round++) {
      for (const [name, actor] of this.actors) {
        if (!actor.isAlive || !this.group.members.has(name)) continue;
        while (actor.told.length > 0) this.hear(actor);
        this.own(name, actor);
      }
    }
  }

  /** A failover: the state is what the records say, and nothing else. */
  failOver(): void {
    this.group = structuredClone(this.group);
    this.take(decideTopicsChanged(this.group, this.image));
  }
}

const names = ['m1', 'm2', 'm3', 'm4', 'm5'];
const name = fc.constantFrom(...names);
const step = fc.oneof(
  fc.record({ kind: fc.constant('join' as const), name, both: fc.boolean() }),
  fc.record({ kind: fc.constant('leave' as const), name }),
  fc.record({ kind: fc.constant('expire' as const), name }),
  fc.record({ kind: fc.constant('hear' as const), name }),
  fc.record({ kind: fc.constant('own' as const), name }),
  fc.record({ kind: fc.constant('commit' as const), name }),
  fc.record({ kind: fc.constant('grow' as const), name }),
  fc.record({ kind: fc.constant('fail-over' as const), name }),
);

it('no partition is held twice, commits are fenced, and all are assigned once members answer', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const walk = new Walk();
      for (const one of steps) {
        const actor = walk.actors.get(one.name);
        const isMember = walk.group.members.has(one.name);
        if (one.kind === 'join') walk.join(one.name, one.both ? ['a', 'b'] : ['a']);
        if (one.kind === 'grow') {
          walk.image = imageWithTopics({ a: 7, b: 3 });
          walk.take(decideTopicsChanged(walk.group, walk.image));
        }
        if (one.kind === 'fail-over') walk.failOver();
        if (actor === undefined) continue;
        if (one.kind === 'leave' || one.kind === 'expire') {
          // Who leaves knows it; whose session ends does not hear of it at once.
          if (one.kind === 'leave') Object.assign(actor, { isAlive: false, held: new Map() });
          walk.take(decideRemoval(walk.group, [one.name], walk.image));
          if (one.kind === 'expire') actor.isAlive = false;
        }
        if (one.kind === 'hear' && isMember) walk.hear(actor);
        if (one.kind === 'own' && isMember && actor.isAlive) walk.own(one.name, actor);
        if (one.kind === 'commit') walk.commit(one.name, actor);
        walk.check();
      }
      walk.settle();
      expectAllAssigned(walk);
    }),
    { numRuns: 300 },
  );
});

function expectAllAssigned({ group, image }: Walk): void {
  if (group.members.size === 0) return;
  expect(phaseOf(group)).toBe('stable');
  const held = new Set<PartitionKey>();
  for (const member of group.members.values()) for (const key of member.held.keys()) held.add(key);
  const subscribed = new Set<string>();
  for (const { subscription } of group.members.values())
    for (const topic of subscription.topics) subscribed.add(topic);
  for (const topic of image.topics.values()) {
    if (!subscribed.has(topic.name)) continue;
    for (const partition of topic.partitions.keys())
      expect(held.has(partitionKey(topicNumber(topic.name), partition))).toBe(true);
  }
}
