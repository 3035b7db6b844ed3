/** The rules of every core that has switches, and those of one core with a mutant's rule broken. */

import { everyGroupRule } from '../../broker/group/core/rules.ts';
import { everyRule as everyLogRule } from '../../broker/log/core/rules.ts';
import { everyMembershipRule } from '../../broker/membership/core/rules.ts';
import { everyRule as everyReplicaRule } from '../../broker/replication/core/rules.ts';
import { everyProducerRule } from '../../client/producer/core/rules.ts';
import { everyRoundRule } from '../../controller/cluster/core/election-round.ts';
import { everyClusterRule } from '../../controller/cluster/core/rules.ts';
import { everyRule as everyQuorumRule } from '../../controller/raft/core/rules.ts';
import { everyStoreRule } from '../../controller/raft/core/store-rules.ts';
import type { Mutant } from './mutants.ts';

export const coreRules = {
  replica: everyReplicaRule,
  round: everyRoundRule,
  quorum: everyQuorumRule,
  cluster: everyClusterRule,
  membership: everyMembershipRule,
  group: everyGroupRule,
  producer: everyProducerRule,
  log: everyLogRule,
  store: everyStoreRule,
};

export type Core = keyof typeof coreRules;
export type RuleOf<One extends Core> = keyof (typeof coreRules)[One] & string;

/** `replica.promiseStops`, for every switch. */
export const ruleNames: readonly string[] = Object.entries(coreRules).flatMap(([core, rules]) =>
  Object.keys(rules).map((rule) => `${core}.${rule}`),
);

/** The name of the broken rule if it is one of this core. */
export function brokenOf<One extends Core>(
  core: One,
  mutant: Mutant | undefined,
): RuleOf<One> | undefined {
  const isRule = (name: string): name is RuleOf<One> => name in coreRules[core];
  return mutant?.core === core && isRule(mutant.switch) ? mutant.switch : undefined;
}

/** All rules of a core but the broken one, if it is one of them. */
export function rulesFor<One extends Core>(
  core: One,
  mutant: Mutant | undefined,
): (typeof coreRules)[One] {
  const broken = brokenOf(core, mutant);
  return broken === undefined ? coreRules[core] : { ...coreRules[core], [broken]: false };
}
