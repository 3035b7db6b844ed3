/**
 * Random walks of one partition, one seed each: appends, flushes, streams with delayed and lost
 * messages, changes of the in-sync set and of the semi-sync members, fences, election rounds at any
 * moment, crashes that keep any part of what was not flushed, lost storage within the budget of the
 * promises. The cores of the brokers and the election are the production code.
 */

import type { Rules } from '../../../broker/replication/core/rules.ts';
import type { RoundRules } from '../../../controller/cluster/core/election-round.ts';
import { type ClusterRules, everyClusterRule } from '../../../controller/cluster/core/rules.ts';
import { breakRule } from './break-rule.ts';
import { checkWorld } from './checks.ts';
import { actions, type Random } from './walk-actions.ts';
import { createWorld, type World } from './world.ts';

export interface WalkOptions {
  readonly replicas: number;
  readonly semiSyncReplicas: number;
  readonly minInsyncReplicas: number;
  readonly steps: number;
  /** Disks are replaced by empty ones often, and the broker is back at once. */
  readonly replacesDisks?: boolean;
  /** Most records of one walk; 7 by default. */
  readonly recordsMax?: number;
  /** Records at all levels, leases that come and go, metadata that is told twice. */
  readonly hasSessions?: boolean;
  /** Disks lose records and nobody knows. */
  readonly isOverBudget?: boolean;
  /** The controller's own decisions, not the twin's. */
  readonly isProduction?: boolean;
  /** The rule to break; undefined: the product as it is. */
  readonly broken?: keyof Rules | keyof RoundRules | keyof ClusterRules | undefined;
}

/** Walks from one seed. Throws a `Violation` when a promise is broken; returns the world reached. */
export function walk(seed: number, options: WalkOptions, trace?: string[]): World {
  const { broken } = options;
  const rules = broken === undefined ? undefined : breakRule(broken);
  const clusterRules =
    options.isProduction === true ? (rules?.clusterRules ?? everyClusterRule) : undefined;
  const world = createWorld({ ...options, ...rules, clusterRules });
  world.trace = trace;
  const random = randomFrom(seed);
  const bag = bagOf(options);
  for (let step = 0; step < options.steps; step++) {
    const name = bag[Math.floor(random() * bag.length)];
    if (name === undefined) break;
    trace?.push(`- ${name}`);
    actions[name](world, random);
    checkWorld(world);
  }
  return world;
}

const weights: Record<keyof typeof actions, number> = {
  append: 4,
  again: 4,
  flush: 10,
  persist: 3,
  open: 4,
  copy: 10,
  deliver: 6,
  deliverOldest: 14,
  metadata: 6,
  decide: 3,
  askAgain: 1,
  round: 1,
  fence: 1,
  tick: 1,
  unknownOutcome: 1,
  crash: 1,
  lose: 1,
  replaceDisk: 0,
  restart: 2,
  heartbeat: 0,
  flap: 0,
  weak: 0,
  lease: 0,
  oldMetadata: 0,
  loseUnnoticed: 0,
};

function isAction(name: string): name is keyof typeof actions {
  return name in actions;
}

const plainBag = Object.keys(actions)
  .filter(isAction)
  .flatMap((name) => Array.from({ length: weights[name] }, () => name));
const diskBag = [...plainBag, 'replaceDisk', 'replaceDisk', 'fence', 'fence'] as const;
/** What goes on between the faults; a controller of its own takes more steps to get anywhere. */
const productionBag = Object.entries({
  heartbeat: 8,
  flap: 1,
  deliverOldest: 14,
  deliver: 12,
  open: 6,
  copy: 8,
  flush: 6,
  persist: 4,
  metadata: 12,
  decide: 6,
  append: 4,
}).flatMap(([name, weight]) => (isAction(name) ? Array.from({ length: weight }, () => name) : []));

function bagOf(options: WalkOptions): readonly (keyof typeof actions)[] {
  const bag: (keyof typeof actions)[] = [...(options.replacesDisks === true ? diskBag : plainBag)];
  if (options.isProduction === true) bag.push(...productionBag);
  if (options.hasSessions === true) bag.push('weak', 'weak', 'weak', 'lease', 'oldMetadata');
  if (options.isOverBudget === true) bag.push('loseUnnoticed', 'crash', 'restart', 'restart');
  return bag;
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
