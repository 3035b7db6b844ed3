/**
 * Stories of the quorum as text: a line that begins with `>` is done, the lines below it say what came
 * of it, and lines that begin with `#` are for the reader.
 */
import { everyRule, type Rules } from '../../../controller/raft/core/rules.ts';
import { nodeIdOf } from '../../../controller/raft/core/voter.ts';
import { nodeId } from '../../../proto/model/ids.ts';
import { logIndex, term as makeTerm } from '../../../proto/model/offset.ts';
import { crc32c } from '../../../proto/wire/crc32c.ts';
import { CoreCluster, formed, voterOf } from './core-cluster.ts';

/** The story told again: same commands and comments, with what came of them this time. */
export function retell(story: string, rules: Rules = everyRule): string {
  const cluster = new CoreCluster(rules);
  const told: string[] = [];
  for (const line of story.split('\n')) {
    if (line.startsWith('#') || line.trim() === '') told.push(line);
    else if (line.startsWith('> ')) {
      told.push(line);
      run(cluster, line.slice(2).trim().split(/\s+/));
      told.push(...cluster.told.splice(0).map((outcome) => `  ${outcome}`));
    }
  }
  return told.join('\n');
}

function damageFrom(cluster: CoreCluster, number: number, lostTo: number) {
  return { term: cluster.members.get(number)?.disk.hard.term ?? makeTerm(0), lostTo };
}

function run(cluster: CoreCluster, [verb = '', ...words]: readonly string[]): void {
  const numbers = words.map(Number);
  const [first = 0, second = 0] = numbers;
  const action = actions[verb];
  if (action === undefined) throw new Error(`a story cannot ${verb}`);
  action(cluster, { words, numbers, first, second });
}

interface Words {
  readonly words: readonly string[];
  readonly numbers: readonly number[];
  readonly first: number;
  readonly second: number;
}

type Action = (cluster: CoreCluster, words: Words) => void;

const actions: Readonly<Record<string, Action>> = {
  // voters 1 2 3: a quorum that was just formed
  voters: (cluster, { numbers }) => cluster.form(numbers),
  // empty 4: a node that belongs to no quorum yet
  empty: (cluster, { first }) => cluster.add(first, formed([], [])),
  // log 1 term 6 entries 1 1 4: the terms of its entries after the first
  log: (cluster, { first, words }) => {
    const [, , term = '', , ...terms] = words;
    cluster.preset(first, terms.map(Number), Number(term));
  },
  timeout: (cluster, { first }) => cluster.timeout(first),
  wait: (cluster, { first }) => cluster.wait(first),
  gone: (cluster, { first, second }) => {
    cluster.input(first, { kind: 'peer-gone', node: nodeId(second) });
    cluster.wait(100);
  },
  propose: (cluster, { first, words }) => cluster.propose(first, words[1] ?? ''),
  read: (cluster, { first }) => cluster.ask(first, (id) => ({ kind: 'read', id })),
  transfer: (cluster, { first, second }) =>
    cluster.ask(first, (id) => ({ kind: 'transfer', id, to: nodeId(second) })),
  add: (cluster, { first, second }) =>
    cluster.ask(first, (id) => ({
      kind: 'change-voters',
      id,
      change: { kind: 'add', voter: voterOf(second) },
    })),
  remove: (cluster, { first, second }) =>
    cluster.ask(first, (id) => ({
      kind: 'change-voters',
      id,
      change: { kind: 'remove', id: voterOf(second).id },
    })),
  snapshot: (cluster, { first, second }) => {
    const data = Buffer.from(`state at ${second}`);
    const index = logIndex(second);
    cluster.input(first, { kind: 'snapshot-taken', index, data, checksum: crc32c(data) });
  },
  // deliver, or deliver 1 2: only between these
  deliver: (cluster, { numbers }) => cluster.deliver(between(numbers)),
  // one 1 2: only the oldest message between these
  one: (cluster, { numbers }) => cluster.deliver(between(numbers), 1),
  // votes 1 2, pre-votes 1 2: only messages of elections
  votes: (cluster, { numbers }) => deliverKinds(cluster, numbers, /vote/),
  'pre-votes': (cluster, { numbers }) => deliverKinds(cluster, numbers, /^pre-vote/),
  // narrow: one entry a message, for those that are formed after it
  narrow: (cluster) => {
    cluster.appendBytesMax = 1;
  },
  drop: (cluster, { numbers }) => cluster.drop(between(numbers)),
  hold: (cluster, { first }) => cluster.hold(first),
  flush: (cluster, { first }) => cluster.flush(first),
  crash: (cluster, { first }) => cluster.crash(first),
  restart: (cluster, { first }) => cluster.restart(first),
  // damage 1 5: comes back without the entries from 5 on
  damage: (cluster, { first, second }) =>
    cluster.restart(first, damageFrom(cluster, first, second)),
  // damage-unseen 1 5: before the others saw that it was gone
  'damage-unseen': (cluster, { first, second }) =>
    cluster.restartUnseen(first, damageFrom(cluster, first, second)),
  logs: (cluster) => {
    for (const [number, { state, isDown }] of cluster.members) {
      const terms = Array.from({ length: state.log.lastIndex - state.log.base.index }, (_, at) =>
        state.log.termAt(logIndex(state.log.base.index + at + 1)),
      );
      const base = state.log.base.index > 0 ? `..${state.log.base.index} ` : '';
      const role = isDown ? 'down' : state.role.kind;
      cluster.told.push(
        `${number} ${role} term ${state.hard.term} log ${base}${terms.join(' ')} commit ${state.commitIndex}`,
      );
    }
  },
  messages: (cluster) => {
    for (const { from, to, body } of cluster.messages) {
      cluster.told.push(`${nodeIdOf(from)}>${nodeIdOf(to)} ${body.kind}`);
    }
  },
};

function deliverKinds(cluster: CoreCluster, numbers: readonly number[], kinds: RegExp): void {
  const isBetween = between(numbers);
  cluster.deliver((from, to, { body }) => isBetween(from, to) && kinds.test(body.kind));
}

/** Between two members in either direction; of all where none is named; of one where it alone is. */
function between(numbers: readonly number[]): (from: number, to: number) => boolean {
  if (numbers.length === 0) return () => true;
  if (numbers.length === 1) return (from, to) => numbers.includes(from) || numbers.includes(to);
  return (from, to) => numbers.includes(from) && numbers.includes(to);
}
