/** The rules of the simulated nodes with one of them broken, by its name: `replica.promiseStops`. */
import type { NodeRules } from '../../../broker/main/machine.ts';
import { everyRule as everyReplicaRule } from '../../../broker/replication/core/rules.ts';
import { everyRoundRule } from '../../../controller/cluster/core/election-round.ts';
import { everyRule as everyQuorumRule } from '../../../controller/raft/core/rules.ts';

const everyNodeRule: NodeRules = {
  replica: everyReplicaRule,
  round: everyRoundRule,
  quorum: everyQuorumRule,
};

/** Every name that `brokenNodeRules` knows. */
const nodeRuleNames: readonly string[] = Object.entries<object>({
  ...everyNodeRule,
}).flatMap(([core, rules]) => Object.keys(rules).map((rule) => `${core}.${rule}`));

export function brokenNodeRules(name: string): NodeRules {
  if (!nodeRuleNames.includes(name))
    throw new Error(`no rule ${name}; one of ${nodeRuleNames.join(', ')}`);
  const [core = '', rule = ''] = name.split('.');
  const { replica, round, quorum } = everyNodeRule;
  return {
    replica: core === 'replica' ? { ...replica, [rule]: false } : replica,
    round: core === 'round' ? { ...round, [rule]: false } : round,
    quorum: core === 'quorum' ? { ...quorum, [rule]: false } : quorum,
  };
}
