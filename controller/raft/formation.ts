/**
 * The birth of a quorum: every voter that was named at the first start writes the same first entry,
 * the configuration, and may vote only once it is flushed. Term 1 is the formation; elections begin
 * at term 2.
 */
import { logIndex, term as makeTerm } from '../../proto/model/offset.ts';
import type { KeyValueStore } from '../../proto/ports/key-value.ts';
import type { Voter } from './core/voter.ts';
import { openQuorumStore, type QuorumStore } from './store.ts';

/** Forms the quorum in an empty store, durably. A store that was formed before is left as it is. */
export async function formQuorum(
  keyValues: KeyValueStore,
  voters: readonly Voter[],
): Promise<QuorumStore> {
  const store = await openQuorumStore(keyValues);
  if (!store.recovery.isEmpty) return store;
  const term = makeTerm(1);
  // Sorted, so that every voter writes the same bytes.
  const sorted = [...voters].sort((a, b) => a.nodeId - b.nodeId);
  await store.persist([
    { kind: 'persist-hard-state', hard: { term, vote: undefined, damage: undefined } },
    {
      kind: 'append',
      entries: [{ index: logIndex(1), term, body: { kind: 'config', voters: sorted } }],
    },
  ]);
  return openQuorumStore(keyValues);
}
