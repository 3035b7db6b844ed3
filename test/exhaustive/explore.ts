/**
 * Breadth-first exploration of a small partition: from the first world, every action that can happen,
 * in every order, up to the bounds of the configuration. Worlds that are the same are visited once.
 */

import type { Follower } from '../../broker/replication/core/state.ts';
import type { NodeId } from '../../proto/model/ids.ts';
import { checkWorld } from '../scenario/replication/checks.ts';
import { decide, fence, openRound } from '../scenario/replication/controller-twin.ts';
import { deliver, describe, refill } from '../scenario/replication/messages.ts';
import { ends, settle } from '../scenario/replication/network.ts';
import { Violation } from '../scenario/replication/violation.ts';
import {
  applyMetadata,
  brokerOf,
  copy,
  crash,
  createWorld,
  feed,
  flush,
  persist,
  produce,
  restart,
  type World,
  type WorldOptions,
} from '../scenario/replication/world.ts';
import { copyWorld, worldKey } from './copy-world.ts';

export interface Bounds {
  readonly options: WorldOptions;
  readonly records: number;
  readonly epochs: number;
  readonly crashes: number;
  readonly fences: number;
  /** Begins once all streams are started, not with a cluster that has only been created. */
  readonly startsSettled?: boolean;
  /**
   * Links between replicas are quick, and so are answers to rounds and writes of a verified epoch: they
   * are done before anything else happens. What is left to chance: metadata, flushes, copies, proposals
   * and their answers, fences and rounds.
   */
  readonly isQuick?: boolean;
  /** Visits no more worlds than this; the result says whether that was all. */
  readonly statesMax: number;
}

export interface Exploration {
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  readonly isComplete: boolean;
  /** The shortest way to a broken promise. */
  readonly violation: { readonly message: string; readonly path: readonly string[] } | undefined;
}

interface Visited {
  readonly world: World;
  readonly crashes: number;
  readonly fences: number;
  readonly from: Visited | undefined;
  readonly by: string;
}

type Action = readonly [name: string, act: (world: World) => void, cost?: 'crash' | 'fence'];

export function explore(bounds: Bounds): Exploration {
  const first: Visited = {
    world: createWorld(bounds.options),
    crashes: 0,
    fences: 0,
    from: undefined,
    by: '',
  };
  if (bounds.startsSettled === true) {
    settle(first.world, ['c', ...first.world.brokers.map(({ node }) => node)]);
  }
  const seen = new Set([worldKey(first.world)]);
  let level: Visited[] = [first];
  let transitions = 0;
  let depth = 0;
  const done = (isComplete: boolean, violation?: Exploration['violation']): Exploration => ({
    states: seen.size,
    transitions,
    depth,
    isComplete,
    violation,
  });
  while (level.length > 0) {
    const next: Visited[] = [];
    for (const visited of level) {
      for (const [name, act, cost] of actionsOf(visited, bounds)) {
        const world = copyWorld(visited.world);
        transitions++;
        try {
          act(world);
          checkWorld(world);
          if (bounds.isQuick === true) runQuickly(world);
        } catch (error) {
          if (!(error instanceof Violation)) throw error;
          return done(false, { message: error.message, path: [...pathOf(visited), name] });
        }
        const crashes = visited.crashes + (cost === 'crash' ? 1 : 0);
        const fences = visited.fences + (cost === 'fence' ? 1 : 0);
        const key = `${crashes}${fences}${worldKey(world)}`;
        if (seen.has(key)) continue;
        seen.add(key);
        next.push({ world, crashes, fences, from: visited, by: name });
        if (seen.size >= bounds.statesMax) return done(false);
      }
    }
    level = next;
    if (next.length > 0) depth++;
  }
  return done(true);
}

/** Everything that may happen next. */
function actionsOf(visited: Visited, bounds: Bounds): Action[] {
  const { world } = visited;
  const { controller, messages } = world;
  const channels = new Set<string>();
  const actions: Action[] = [];
  for (const [index, message] of messages.entries()) {
    // A link is ordered: of what one node sent to another, the oldest arrives first.
    const channel = ends(message).join();
    if (channels.has(channel)) continue;
    channels.add(channel);
    actions.push([`deliver ${describe(message)}`, (next) => deliver(next, index)]);
  }
  if (controller.leader === undefined) {
    actions.push([
      'decide',
      (next) => {
        decide(next.controller);
        refill(next);
      },
    ]);
  } else {
    if (controller.leaderEpoch < bounds.epochs) {
      actions.push(['round', (next) => openRound(next.controller)]);
    }
    if (visited.fences < bounds.fences) {
      for (const node of controller.isr) {
        if (node === controller.leader) continue;
        actions.push([`fence ${node}`, (next) => fence(next.controller, node), 'fence']);
      }
    }
  }
  for (const { node } of world.brokers) actions.push(...actionsAt(visited, bounds, node));
  return actions;
}

function actionsAt(visited: Visited, bounds: Bounds, node: NodeId): Action[] {
  const { world } = visited;
  const broker = brokerOf(world, node);
  if (!broker.isUp) return [[`restart ${node}`, (next) => restart(next, node)]];
  const actions: Action[] = [];
  const { role } = broker.core;
  if (broker.applied < world.controller.versions.length) {
    actions.push([`metadata ${node}`, (next) => void applyMetadata(next, node, false)]);
  }
  if (broker.storedEnd < broker.records.length) {
    actions.push([`flush ${node}`, (next) => flush(next, node, 1)]);
  }
  if (broker.persisting.length > 0) {
    actions.push([`persist ${node}`, (next) => persist(next, node)]);
  }
  if (visited.crashes < bounds.crashes) {
    actions.push([`crash ${node}`, (next) => crash(next, node), 'crash']);
  }
  if (role.kind === 'follower' && role.phase === 'closed' && leads(world, role)) {
    const reachable = { kind: 'leader-reachable', node: role.leader } as const;
    actions.push([`open ${node}`, (next) => feed(next, node, reachable)]);
  }
  if (role.kind === 'leader') {
    if (world.records < bounds.records) {
      actions.push([
        `produce ${node}`,
        (next) => void produce(next, node, next.records % 2 === 0 ? 'all' : 'semi-sync'),
      ]);
    }
    for (const other of world.brokers) {
      const { log, watermark } = other.core;
      const isBehind = log.end < broker.records.length || watermark < broker.core.watermark;
      if (other === broker || !isBehind || other.core.role.kind !== 'follower') continue;
      actions.push([`copy ${node} ${other.node}`, (next) => void copy(next, node, other.node)]);
    }
  }
  return actions;
}

/** Does what a quick world does by itself, one thing at a time, checked after each. */
function runQuickly(world: World): void {
  for (let next = quickAction(world); next !== undefined; next = quickAction(world)) {
    next();
    checkWorld(world);
  }
}

function quickAction(world: World): (() => void) | undefined {
  const at = world.messages.findIndex(
    (message) => 'effect' in message && quick.has(message.effect.kind),
  );
  if (at >= 0) return () => deliver(world, at);
  for (const { node, isUp, persisting, core } of world.brokers) {
    if (!isUp) continue;
    if (persisting.length > 0) return () => persist(world, node);
    const { role } = core;
    if (role.kind !== 'follower' || role.phase !== 'closed' || !leads(world, role)) continue;
    return () => feed(world, node, { kind: 'leader-reachable', node: role.leader });
  }
  return undefined;
}

const quick: ReadonlySet<string> = new Set([
  'open-stream',
  'answer-open',
  'report',
  'answer-promise',
  'resign',
]);

/** The driver paces its attempts: one that would only be refused is left out. */
function leads(world: World, { leader, epoch }: Follower): boolean {
  const { isUp, core } = brokerOf(world, leader);
  return isUp && core.role.kind === 'leader' && core.role.epoch === epoch;
}

function pathOf(visited: Visited): string[] {
  const path: string[] = [];
  for (let at: Visited | undefined = visited; at?.from !== undefined; at = at.from)
    path.push(at.by);
  return path.reverse();
}
