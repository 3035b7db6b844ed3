/**
 * Random walks of one group, one seed each: members come, go and fall silent, hear of their assignments
 * late, and their words and commits take any time. What must hold: no partition is handled by two, and
 * the committed offset of a partition never goes back.
 */
import {
  emptyGroup,
  type GroupRecord,
  type GroupState,
  type PartitionKey,
  replay,
} from '../../../../broker/group/core/group-state.ts';
import {
  assignmentOf,
  decideJoin,
  decideOwned,
  decideRemoval,
} from '../../../../broker/group/core/membership.ts';
import { type Commit, decideCommit } from '../../../../broker/group/core/offsets.ts';
import { everyGroupRule, type GroupRules } from '../../../../broker/group/core/rules.ts';
import { leaderEpoch, offset } from '../../../../proto/model/offset.ts';
import { SeededRandom } from '../../../../proto/ports/memory/seeded-random.ts';
import { Violation } from '../../../scenario/replication/violation.ts';
import { imageWithTopics, joining } from '../group-builders.ts';

/** What a member sends; the messages of one stream arrive in their order. */
type Word =
  | { readonly kind: 'commit'; readonly commit: Commit }
  | {
      readonly kind: 'owned';
      readonly generation: number;
      readonly partitions: ReadonlySet<PartitionKey>;
    };

interface Actor {
  readonly told: { readonly generation: number; readonly partitions: readonly PartitionKey[] }[];
  readonly sent: Word[];
  generation: number;
  /** Where it is in each partition that it handles. */
  readonly places: Map<PartitionKey, number>;
}

const image = imageWithTopics({ a: 3, b: 2 });
const names = ['m1', 'm2', 'm3'];

/** Walks from one seed. Throws a `Violation` when a promise is broken. */
export function walkCommits(
  seed: number,
  options: { readonly steps: number; readonly broken?: keyof GroupRules | undefined },
): void {
  const { broken } = options;
  const rules = { ...everyGroupRule, ...(broken === undefined ? {} : { [broken]: false }) };
  const walk = new CommitWalk(new SeededRandom(seed), rules);
  for (let taken = 0; taken < options.steps; taken++) walk.act();
}

class CommitWalk {
  readonly #random: SeededRandom;
  readonly #rules: GroupRules;
  readonly #actors = new Map<string, Actor>();
  /** Commits of members that were removed. */
  readonly #underWay = new Map<string, Word[]>();
  #group: GroupState = emptyGroup('g');

  constructor(random: SeededRandom, rules: GroupRules) {
    this.#random = random;
    this.#rules = rules;
  }

  act(): void {
    const name = names[this.#random.below(names.length)] ?? '';
    const drawn = this.#random.below(40);
    const actor = this.#actors.get(name);
    if (drawn < 5) this.#join(name);
    else if (drawn < 6) this.#leave(name);
    else if (drawn < 7) this.#outside();
    else if (actor === undefined) return;
    else if (drawn < 18) hear(actor, this.#group);
    else if (drawn < 26) this.#sendOwned(actor);
    else if (drawn < 32) this.#sendCommit(name, actor);
    else this.#deliver(name, actor);
    this.#check();
  }

  #join(name: string): void {
    if (this.#group.members.has(name)) return;
    const sent = this.#underWay.get(name) ?? [];
    this.#actors.set(name, { told: [], sent, generation: 0, places: new Map() });
    const topics = this.#random.below(2) === 0 ? ['a'] : ['a', 'b'];
    const decision = decideJoin(this.#group, joining(name, topics), image, this.#rules);
    if (decision.kind === 'decided') this.#take(decision.records);
  }

  /** Its session ends; what it has committed is under way, and may arrive when it has come back. */
  #leave(name: string): void {
    const sent = this.#actors.get(name)?.sent ?? [];
    const commits = sent.filter(({ kind }) => kind === 'commit');
    this.#underWay.set(name, commits);
    this.#actors.delete(name);
    this.#take(decideRemoval(this.#group, [name], image, this.#rules).records);
  }

  /** Somebody sets the offsets to the beginning, as for a group that is empty. */
  #outside(): void {
    const isAtWork = this.#group.members.size > 0;
    const keys = [...this.#group.offsets.keys()];
    const commit = { member: '', generation: 0, offsets: keys.map((key) => entry(key, 0)) };
    if (isAtWork) this.#commit(commit);
  }

  #sendOwned({ sent, generation, places }: Actor): void {
    sent.push({ kind: 'owned', generation, partitions: new Set(places.keys()) });
  }

  /** Handles a record of everything that it has, and commits. */
  #sendCommit(member: string, { sent, generation, places }: Actor): void {
    const offsets: Commit['offsets'][number][] = [];
    for (const [key, at] of places) {
      places.set(key, at + 1);
      offsets.push(entry(key, at + 1));
    }
    sent.push({ kind: 'commit', commit: { member, generation, offsets } });
  }

  #deliver(member: string, { sent }: Actor): void {
    const word = sent.shift();
    if (word?.kind === 'commit') this.#commit(word.commit);
    if (word?.kind !== 'owned') return;
    this.#take(decideOwned(this.#group, { ...word, member }, image, this.#rules).records);
  }

  #commit(commit: Commit): void {
    const before = new Map(this.#group.offsets);
    this.#take(decideCommit(this.#group, commit, this.#rules).records);
    for (const [key, { offset: at }] of before) {
      const after = this.#group.offsets.get(key)?.offset ?? 0;
      if (after < at)
        throw new Violation(`B6.7 the commit of ${key} goes back from ${at} to ${after}`);
    }
  }

  #take(records: readonly GroupRecord[]): void {
    const groups = new Map([['g', this.#group]]);
    for (const one of records) replay(groups, one, 0);
    this.#group = groups.get('g') ?? this.#group;
    for (const one of records) {
      if (one.kind !== 'member') continue;
      const partitions = [...assignmentOf(one.member).keys()];
      const { generation } = this.#group;
      this.#actors.get(one.member.member)?.told.push({ generation, partitions });
    }
  }

  /** A partition has one holder, in the books and among those who handle it. */
  #check(): void {
    const holders = new Map<PartitionKey, string>();
    for (const { member, held } of this.#group.members.values()) {
      for (const key of held.keys()) {
        if (holders.has(key)) throw new Violation(`6.11 ${key} is held twice`);
        holders.set(key, member);
      }
    }
    for (const [name, { places }] of this.#actors) {
      for (const key of places.keys()) {
        if (holders.get(key) === name) continue;
        throw new Violation(`6.11 ${key} is handled by ${name}, and not held`);
      }
    }
  }
}

/**
 * Takes up what it was given, from where the group has come, and lets go of the rest: not before its own
 * commits have arrived.
 */
function hear(actor: Actor, group: GroupState): void {
  if (actor.sent.some(({ kind }) => kind === 'commit')) return;
  const message = actor.told.shift();
  if (message === undefined) return;
  actor.generation = message.generation;
  for (const key of actor.places.keys()) {
    if (!message.partitions.includes(key)) actor.places.delete(key);
  }
  for (const key of message.partitions) {
    if (!actor.places.has(key)) actor.places.set(key, group.offsets.get(key)?.offset ?? 0);
  }
}

function entry(partition: PartitionKey, at: number): Commit['offsets'][number] {
  return { partition, offset: offset(at), leaderEpoch: leaderEpoch(1), note: '', committedAtMs: 0 };
}
