/**
 * The expectation that every replica has what the writer was told, once, in order, and nothing else.
 * What was acknowledged at `leader` or `semi-sync` is readable once the others have it too.
 */
import { expect } from 'vitest';
import type { Client } from '../../client/index.ts';
import { type PartitionPlace, readReplica, until } from './cluster-view.ts';
import type { History } from './history.ts';

export async function expectKept(
  client: Client,
  place: PartitionPlace,
  { history, replicas }: { readonly history: History; readonly replicas: readonly number[] },
): Promise<void> {
  for (const replica of replicas) {
    const found = await until(
      () => readReplica(client, place, replica),
      (records) => history.missing(records).length === 0,
      `replica ${replica} has everything`,
      5_000,
    ).catch(() => readReplica(client, place, replica));
    const { acknowledged, ...faults } = history.check(found);
    const missing = history.missing(found);
    expect(acknowledged).toBeGreaterThan(0);
    expect({ replica, ...faults, missing }).toEqual({
      replica,
      lost: 0,
      duplicated: 0,
      unexpected: 0,
      damaged: 0,
      misplaced: 0,
      missing: [],
    });
  }
}
