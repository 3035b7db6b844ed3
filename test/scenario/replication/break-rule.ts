/** Test worlds with one rule of the product broken, by its name. */

import { everyRule, type Rules } from '../../../broker/replication/core/rules.ts';
import type { RoundRules } from '../../../controller/cluster/core/election-round.ts';

const everyRoundRule: RoundRules = {
  needsIsrAnswer: true,
  needsSemiSyncMembers: true,
  comparesEpochFirst: true,
  greatestWins: true,
};

/** The rules of the brokers and of the election, all but the named one. */
export function breakRule(rule: string): { rules: Rules; roundRules: RoundRules } {
  const isBrokers = rule in everyRule;
  if (!isBrokers && !(rule in everyRoundRule)) throw new Error(`no such rule: ${rule}`);
  return {
    rules: isBrokers ? { ...everyRule, [rule]: false } : everyRule,
    roundRules: isBrokers ? everyRoundRule : { ...everyRoundRule, [rule]: false },
  };
}
