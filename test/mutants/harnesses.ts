/** Where a mutant can be killed: each harness runs one seed with or without a rule, and says what broke. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InvariantViolation } from '../../proto/model/invariant.ts';
import { walkCommits } from '../broker/group/core/commit-walk.ts';
import { walkLease } from '../broker/membership/lease-walk.ts';
import { walkProducer } from '../client/producer/core/producer-walk.ts';
import { walkHistory } from '../controller/cluster/history-walk.ts';
import { walkQuorum } from '../scenario/raft/walk.ts';
import { breakRule } from '../scenario/replication/break-rule.ts';
import { walkLag } from '../scenario/replication/lag-walk.ts';
import { parseTranscript, replay } from '../scenario/replication/transcript.ts';
import { type WalkOptions, walk } from '../scenario/replication/walk.ts';
import { brokenNodeRules } from '../sim/cluster/broken-rules.ts';
import { simulateCluster } from '../sim/cluster/simulate-cluster.ts';
import { simulate } from '../sim/simulate.ts';
import { brokenOf, rulesFor } from './core-rules.ts';
import { logHarnesses } from './log-harnesses.ts';
import { type Mutant, nameOf } from './mutants.ts';

export interface Harness {
  readonly name: string;
  readonly cores: readonly Mutant['core'][];
  /** How many seeds a search tries at most. */
  readonly seedsMax: number;
  /** What broke, its checker first; undefined if everything held. No mutant: the product as it is. */
  run(mutant: Mutant | undefined, seed: number): string | undefined | Promise<string | undefined>;
}

const three = { replicas: 3, semiSyncReplicas: 2, minInsyncReplicas: 2, steps: 400 };
const decided = { ...three, steps: 600, isProduction: true, recordsMax: 30 };

/** The cheapest first. */
export const harnesses: readonly Harness[] = [
  walkOf('walk of a partition', three),
  walkOf('walk, disks replaced', { ...three, replacesDisks: true }),
  walkOf('walk, sessions and leases', { ...three, hasSessions: true, recordsMax: 20 }),
  walkOf('walk, over budget', { ...three, isOverBudget: true, recordsMax: 20 }),
  {
    name: 'walk of a leader',
    cores: ['replica'],
    seedsMax: 5_000,
    run: (mutant, seed) =>
      whatBroke(() => walkLag(seed, { steps: 300, broken: brokenOf('replica', mutant) })),
  },
  {
    name: 'walk of a lease',
    cores: ['membership'],
    seedsMax: 5_000,
    run: (mutant, seed) =>
      whatBroke(() => walkLease(seed, { steps: 400, broken: brokenOf('membership', mutant) })),
  },
  {
    name: 'walk of a group',
    cores: ['group'],
    seedsMax: 5_000,
    run: (mutant, seed) =>
      whatBroke(() => walkCommits(seed, { steps: 200, broken: brokenOf('group', mutant) })),
  },
  {
    name: 'walk of a producer',
    cores: ['producer', 'log'],
    seedsMax: 5_000,
    run: (mutant, seed) =>
      whatBroke(() =>
        walkProducer(seed, {
          steps: 150,
          rules: rulesFor('producer', mutant),
          logRules: rulesFor('log', mutant),
        }),
      ),
  },
  walkOf('walk, controller decides', decided),
  walkOf('walk, controller decides, disks replaced', { ...decided, replacesDisks: true }),
  {
    name: 'walk of decisions',
    cores: ['cluster'],
    seedsMax: 5_000,
    run: (mutant, seed) =>
      whatBroke(() => walkHistory(seed, { steps: 150, broken: brokenOf('cluster', mutant) })),
  },
  quorumWalkOf('walk of a quorum', { voters: 5, spares: 0, steps: 200 }),
  quorumWalkOf('walk, voters change', { voters: 3, spares: 2, steps: 300 }),
  quorumWalkOf('walk, bare majorities', { voters: 5, spares: 0, steps: 200, isThin: true }),
  quorumWalkOf('walk, voters removed', {
    voters: 4,
    spares: 0,
    steps: 150,
    isThin: true,
    removes: true,
  }),
  {
    name: 'quorum simulator',
    cores: ['quorum'],
    seedsMax: 5_000,
    run: async (mutant, seed) => (await simulate(seed, rulesFor('quorum', mutant))).violation,
  },
  ...logHarnesses,
  stories(),
  {
    name: 'cluster simulator',
    cores: ['replica', 'round', 'quorum'],
    seedsMax: 5_000,
    run: async (mutant, seed) => {
      const rules = mutant === undefined ? undefined : brokenNodeRules(nameOf(mutant));
      return (await simulateCluster(seed, { rules })).violation;
    },
  },
];

function walkOf(name: string, options: WalkOptions): Harness {
  return {
    name,
    cores: options.isProduction === true ? ['replica', 'round', 'cluster'] : ['replica', 'round'],
    seedsMax: 5_000,
    run: (mutant, seed) =>
      whatBroke(() => walk(seed, { ...options, broken: partitionRule(mutant) })),
  };
}

function quorumWalkOf(name: string, options: Parameters<typeof walkQuorum>[1]): Harness {
  return {
    name,
    cores: ['quorum'],
    seedsMax: 5_000,
    run: (mutant, seed) =>
      whatBroke(() => walkQuorum(seed, { ...options, broken: brokenOf('quorum', mutant) })),
  };
}

/** The transcripts of replication, counted from 1 in the order of their names. */
function stories(): Harness {
  const folder = join(import.meta.dirname, '../scenario/replication');
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.txt'))
    .sort();
  return {
    name: 'story',
    cores: ['replica', 'round'],
    seedsMax: files.length,
    run: (mutant, seed) => {
      const file = files[seed - 1];
      if (file === undefined) return undefined;
      const transcript = parseTranscript(readFileSync(join(folder, file), 'utf8'));
      const rules = mutant === undefined ? {} : breakRule(mutant.switch);
      return whatBroke(() => {
        const happened = replay(transcript, { ...transcript.options, ...rules });
        const at = transcript.lines.findIndex(({ expected }, line) => happened[line] !== expected);
        if (at >= 0) throw new Untold(`${file}: ${transcript.lines[at]?.action}`);
      });
    },
  };
}

/** A story that does not come out as it is told. */
class Untold extends Error {
  override readonly name = 'Violation';
}

function whatBroke(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof InvariantViolation) return `invariant of the core: ${error.message}`;
    if (error instanceof Error && error.name === 'Violation') return error.message;
    throw error;
  }
}

function partitionRule(mutant: Mutant | undefined): WalkOptions['broken'] {
  return brokenOf('replica', mutant) ?? brokenOf('round', mutant) ?? brokenOf('cluster', mutant);
}
