import { beforeEach, describe, expect, it } from 'vitest';
import type { ProduceResult } from '../../../broker/replication/core/effects.ts';
import type { Acks } from '../../../proto/model/acks.ts';
import { leaderEpoch, offset } from '../../../proto/model/offset.ts';
import { World } from '../world.ts';
import { type AnsweringReplica, Leases } from './leases.ts';

function acknowledged(isDegraded = false): ProduceResult {
  const receipt = {
    baseOffset: offset(0),
    endOffset: offset(1),
    leaderEpoch: leaderEpoch(1),
    storedBy: [],
    isrSize: 1,
    isDegraded,
    isDuplicate: false,
  };
  return { kind: 'acknowledged', receipt };
}

describe('a broker without a lease acknowledges nothing that rests on it (S25)', () => {
  let world: World;
  let nowMs: number;
  let told: ProduceResult[];
  let replica: AnsweringReplica;
  let result: ProduceResult;

  beforeEach(() => {
    world = new World(1);
    told = [];
    replica = {
      topicId: 't',
      partition: 0,
      produce: (_batch, _header, _how, done) => done(result),
    };
    const broker = { id: 1, now: () => nowMs, leaseUntil: () => 100 };
    new Leases(world).watch(broker, replica);
  });

  const produce = async (acks: Acks): Promise<void> => {
    const options = { acks, deadlineMs: 0, expectedOffset: undefined };
    replica.produce(Buffer.alloc(0), undefined as never, options, (one) => told.push(one));
    world.time.clock.soon(() => undefined);
    await world.time.advance(1);
  };

  it.each<[Acks, boolean]>([
    ['none', false],
    ['leader', false],
    ['semi-sync', true],
  ])('%s, degraded: %s', async (acks, isDegraded) => {
    result = acknowledged(isDegraded);
    nowMs = 99;
    await produce(acks);
    nowMs = 100;
    await expect(produce(acks)).rejects.toThrow('after its lease');
    expect(told).toHaveLength(2);
  });

  it('what rests on replicas goes on, and a refusal is no ack', async () => {
    nowMs = 200;
    result = acknowledged();
    await produce('all');
    await produce('semi-sync');
    result = { kind: 'failed', code: 'LEASE_LOST', outcome: 'not-written' };
    await produce('leader');
    expect(world.reached.get('write without a lease refused')).toBe(1);
  });
});
