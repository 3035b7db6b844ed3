/** Test worlds with one rule of the product broken, by its name. */

import { everyRule, type Rules } from '../../../broker/replication/core/rules.ts';
import {
  everyRoundRule,
  type RoundRules,
} from '../../../controller/cluster/core/election-round.ts';
import { type ClusterRules, everyClusterRule } from '../../../controller/cluster/core/rules.ts';

interface BrokenRules {
  readonly rules: Rules;
  readonly roundRules: RoundRules;
  /** Of a rule of the controller alone: it makes the controller's own decisions decide. */
  readonly clusterRules?: ClusterRules;
}

/** The rules of the brokers, of the election and of the controller, all but the named one. */
export function breakRule(rule: string): BrokenRules {
  const all = { rules: everyRule, roundRules: everyRoundRule };
  if (rule in everyRule) return { ...all, rules: { ...everyRule, [rule]: false } };
  if (rule in everyRoundRule) return { ...all, roundRules: { ...everyRoundRule, [rule]: false } };
  if (!(rule in everyClusterRule)) throw new Error(`no such rule: ${rule}`);
  return { ...all, clusterRules: { ...everyClusterRule, [rule]: false } };
}
