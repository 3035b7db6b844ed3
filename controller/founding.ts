/**
 * The first entries of a cluster's quorum log. Every founding voter writes the very same ones before
 * it takes part, so they are committed from the beginning: who the voters are, and the cluster's id.
 */
import { encodeRecords, record } from '../proto/metadata/records.ts';
import type { ClusterId } from '../proto/model/ids.ts';
import { logIndex, term } from '../proto/model/offset.ts';
import type { LogEntry } from './raft/core/entry.ts';
import type { Voter } from './raft/core/voter.ts';
import type { QuorumStore } from './raft/store.ts';

/** Writes them to an empty store; durable when it resolves. */
export async function found(
  store: QuorumStore,
  cluster: ClusterId,
  voters: readonly Voter[],
): Promise<void> {
  const first = term(1);
  const formed = record('clusterFormed', {
    clusterId: cluster,
    featureLevel: 1,
    voters: voters.map(({ nodeId, storageId, host, port }) => ({
      nodeId,
      storageId,
      host,
      port,
      isLearner: false,
    })),
  });
  const entries: LogEntry[] = [
    { index: logIndex(1), term: first, body: { kind: 'config', voters } },
    { index: logIndex(2), term: first, body: { kind: 'command', data: encodeRecords([formed]) } },
  ];
  await store.persist([
    { kind: 'persist-hard-state', hard: { term: first, vote: undefined, damage: undefined } },
    { kind: 'append', entries },
  ]);
}
