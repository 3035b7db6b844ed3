/**
 * Random walks of a quorum of bare cores, one seed each: elections at any moment, messages in any order
 * that links allow, late, lost and cut off by a crash, flushes that take long, proposals and voter
 * changes. Cheaper by far than the simulator, which has the drivers and stores as well, so it gets to
 * the corners that need a long chain of unlikely events (figure 8 of the Raft paper, B4.4, B4.7).
 */
import { everyRule, type Rules } from '../../../controller/raft/core/rules.ts';
import { nodeIdOf } from '../../../controller/raft/core/voter.ts';
import { CoreCluster, formed, voterOf } from './core-cluster.ts';
import { QuorumChecks } from './walk-checks.ts';

export interface QuorumWalkOptions {
  readonly voters: number;
  /** Members that may be added. */
  readonly spares: number;
  readonly steps: number;
  /** Bare majorities and single messages: most entries stay undecided until a later leader comes. */
  readonly isThin?: boolean;
  /** Voters are removed, none added. */
  readonly removes?: boolean;
  /** The rule to break; undefined: the product as it is. */
  readonly broken?: keyof Rules | undefined;
}

/** What a walk came to. */
export interface QuorumWalk {
  readonly terms: number;
  readonly committed: number;
  /** The one of the formation included. */
  readonly configurations: number;
}

/** Walks from one seed. Throws a `Violation` when the quorum contradicts itself. */
export function walkQuorum(seed: number, options: QuorumWalkOptions): QuorumWalk {
  const { broken, voters, spares } = options;
  const cluster = new CoreCluster(
    broken === undefined ? everyRule : { ...everyRule, [broken]: false },
  );
  const random = randomFrom(seed);
  // Some walks send one entry at a time, so that a majority can have an old one alone.
  if (random() < 0.5) cluster.appendBytesMax = 1;
  const numbers = Array.from({ length: voters + spares }, (_, at) => at + 1);
  cluster.form(numbers.slice(0, voters));
  for (const number of numbers.slice(voters)) cluster.add(number, formed([], []));
  const checks = new QuorumChecks(cluster);
  const base = options.isThin === true ? thinBag : plainBag;
  const changes = spares > 0 ? changeBag : options.removes === true ? removeBag : [];
  const bag = [...base, ...changes];
  for (let at = 0; at < options.steps; at++) {
    const name = bag[Math.floor(random() * bag.length)];
    if (name === undefined) break;
    actions[name](cluster, random);
    cluster.told.length = 0;
    checks.check();
  }
  return {
    terms: checks.terms,
    committed: checks.committed,
    configurations: checks.configurations,
  };
}

type Random = () => number;

const actions = {
  /** The whole election at once, so that a walk is not mostly campaigns that fail. */
  elect(cluster: CoreCluster, random: Random) {
    const candidate = pick(running(cluster), random);
    if (candidate === undefined) return;
    cluster.timeout(candidate);
    const voters = new Set(running(cluster).filter(() => random() < 0.75));
    cluster.deliver(
      (from, to, { body }) =>
        body.kind.includes('vote') &&
        [from, to].includes(candidate) &&
        [from, to].every((number) => number === candidate || voters.has(number)),
      40,
    );
  },
  /** By a bare majority; the others hear nothing of it. */
  electBarely(cluster: CoreCluster, random: Random) {
    const up = running(cluster);
    const candidate = pick(up, random);
    if (candidate === undefined) return;
    const voters = new Set<number>();
    const { configurations } = cluster.members.get(candidate)?.state ?? { configurations: [] };
    const needed = Math.floor((configurations.at(-1)?.voters.length ?? 1) / 2);
    for (let tries = 0; voters.size < needed && tries < 20; tries++) {
      const voter = pick(up, random);
      if (voter !== undefined && voter !== candidate) voters.add(voter);
    }
    cluster.timeout(candidate);
    cluster.deliver(
      (from, to, { body }) =>
        body.kind.includes('vote') &&
        ((from === candidate && voters.has(to)) || (to === candidate && voters.has(from))),
      40,
    );
    cluster.messages = cluster.messages.filter(({ body }) => !body.kind.includes('vote'));
  },
  deliverOne(cluster: CoreCluster, random: Random) {
    const message = pick(cluster.messages, random);
    if (message === undefined) return;
    const [a, b] = [nodeIdOf(message.from), nodeIdOf(message.to)];
    cluster.deliver((from, to) => from === a && to === b, 1);
  },
  timeout(cluster: CoreCluster, random: Random) {
    const number = pick(running(cluster), random);
    if (number !== undefined) cluster.timeout(number);
  },
  tick(cluster: CoreCluster) {
    cluster.wait(100);
  },
  /** What is oldest on one link arrives. */
  deliver(cluster: CoreCluster, random: Random) {
    const message = pick(cluster.messages, random);
    if (message === undefined) return;
    const [a, b] = [nodeIdOf(message.from), nodeIdOf(message.to)];
    cluster.deliver((from, to) => from === a && to === b, 1 + Math.floor(random() * 3));
  },
  /** Two members exchange all that they have for each other. */
  talk(cluster: CoreCluster, random: Random) {
    const [a, b] = [pick(running(cluster), random), pick(running(cluster), random)];
    cluster.deliver((from, to) => (from === a && to === b) || (from === b && to === a), 20);
  },
  /** A part of the quorum exchanges everything, as on a quiet day. */
  gather(cluster: CoreCluster, random: Random) {
    const part = new Set(running(cluster).filter(() => random() < 0.7));
    cluster.wait(100);
    cluster.deliver((from, to) => part.has(from) && part.has(to), 80);
  },
  drop(cluster: CoreCluster, random: Random) {
    const number = pick(running(cluster), random);
    const isAll = random() < 0.3;
    cluster.drop((from, to) => isAll || from === number || to === number);
  },
  crash(cluster: CoreCluster, random: Random) {
    const up = running(cluster);
    const leaders = up.filter((number) => isLeader(cluster, number));
    const number = pick(random() < 0.6 && leaders.length > 0 ? leaders : up, random);
    if (number !== undefined) cluster.crash(number);
  },
  restart(cluster: CoreCluster, random: Random) {
    const down = [...cluster.members].filter(([, { isDown }]) => isDown);
    const chosen = pick(down, random);
    if (chosen !== undefined) cluster.restart(chosen[0]);
  },
  hold(cluster: CoreCluster, random: Random) {
    const number = pick(running(cluster), random);
    if (number !== undefined) cluster.hold(number);
  },
  flush(cluster: CoreCluster, random: Random) {
    const held = [...cluster.members].filter(([, member]) => member.held !== undefined);
    const chosen = pick(held, random);
    if (chosen !== undefined) cluster.flush(chosen[0]);
  },
  propose(cluster: CoreCluster, random: Random) {
    const leader = pick(leaders(cluster), random);
    if (leader !== undefined) cluster.propose(leader, 'x');
  },
  addVoter(cluster: CoreCluster, random: Random) {
    const leader = pick(leaders(cluster), random);
    const added = pick([...cluster.members.keys()], random);
    if (leader === undefined || added === undefined) return;
    const change = { kind: 'add', voter: voterOf(added) } as const;
    cluster.ask(leader, (id) => ({ kind: 'change-voters', id, change }));
  },
  removeVoter(cluster: CoreCluster, random: Random) {
    const leader = pick(leaders(cluster), random);
    const removed = pick([...cluster.members.keys()], random);
    if (leader === undefined || removed === undefined) return;
    const change = { kind: 'remove', id: voterOf(removed).id } as const;
    cluster.ask(leader, (id) => ({ kind: 'change-voters', id, change }));
  },
};

const weights: Readonly<Record<keyof typeof actions, number>> = {
  elect: 6,
  timeout: 1,
  tick: 3,
  deliver: 10,
  electBarely: 0,
  deliverOne: 0,
  talk: 8,
  gather: 4,
  drop: 2,
  crash: 2,
  restart: 3,
  hold: 1,
  flush: 3,
  propose: 4,
  addVoter: 0,
  removeVoter: 0,
};

const thinWeights: typeof weights = {
  ...weights,
  elect: 0,
  electBarely: 5,
  deliver: 0,
  deliverOne: 20,
  talk: 0,
  gather: 0,
  hold: 0,
  crash: 2,
  restart: 4,
  propose: 1,
  tick: 1,
  drop: 0,
};

function isAction(name: string): name is keyof typeof actions {
  return name in actions;
}

const plainBag = Object.keys(actions)
  .filter(isAction)
  .flatMap((name) => Array.from({ length: weights[name] }, () => name));
const thinBag = Object.keys(actions)
  .filter(isAction)
  .flatMap((name) => Array.from({ length: thinWeights[name] }, () => name));
const removeBag = Array.from({ length: 8 }, () => 'removeVoter' as const);
const changeBag = ['addVoter', 'addVoter', 'addVoter', 'removeVoter', 'removeVoter'] as const;

function running(cluster: CoreCluster): number[] {
  return [...cluster.members].filter(([, { isDown }]) => !isDown).map(([number]) => number);
}

function leaders(cluster: CoreCluster): number[] {
  return running(cluster).filter((number) => isLeader(cluster, number));
}

function isLeader(cluster: CoreCluster, number: number): boolean {
  return cluster.members.get(number)?.state.role.kind === 'leader';
}

function pick<Item>(items: readonly Item[], random: Random): Item | undefined {
  return items[Math.floor(random() * items.length)];
}

/** mulberry32: small, fast, and the same everywhere. */
function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
