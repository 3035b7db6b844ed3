import { expect, it } from 'vitest';
import type { Input } from '../../../broker/replication/core/inputs.ts';
import type { Replica } from '../../../broker/replication/replica.ts';
import { ReplicationStreams } from '../../../broker/replication/replication-streams.ts';
import { nodeId, partitionNumber, topicId } from '../../../proto/model/ids.ts';
import { brokerEpoch, leaderEpoch, offset } from '../../../proto/model/offset.ts';
import { silentLogger } from '../../../proto/ports/logger.ts';
import { VirtualTime } from '../../../proto/ports/memory/virtual-time.ts';
import { scriptedLeader } from './scripted-leader.ts';

const leader = nodeId(1);

/** A leader which refuses the first opening of each pair. */
function refusingLeader(nowMs: () => number) {
  const openedAt: number[] = [];
  const endpoint = scriptedLeader(({ slot, stream, leaderEpoch: epoch }, send) => {
    openedAt.push(nowMs());
    const isRefused = openedAt.length % 2 === 1;
    const answer = isRefused
      ? ({ kind: 'refused', value: 'UNKNOWN_LEADER_EPOCH' } as const)
      : ({ kind: 'diverging', value: { epoch, endOffset: offset(0) } } as const);
    send({ opened: [{ slot, stream, leaderEpoch: epoch, answer }] });
  });
  return { endpoint, openedAt };
}

it('a leader that refuses now and then is asked again as soon as the first time', async () => {
  const time = new VirtualTime();
  const { endpoint, openedAt } = refusingLeader(() => time.now());
  const streams = new ReplicationStreams({
    endpoint,
    clock: time.clock,
    logger: silentLogger,
    lookup: () => undefined,
    addressOf: () => ({ nodeId: leader, host: 'localhost', port: 1 }),
    moves: { bytesPerSecond: 0, isAdded: () => false },
  });
  let stream = 0;
  const open = (): void =>
    streams.open(replica as Replica, {
      kind: 'open-stream',
      leader,
      leaderEpoch: leaderEpoch(1),
      brokerEpoch: brokerEpoch(1),
      stream: ++stream,
      lastEpoch: undefined,
      logEnd: offset(0),
    });
  const replica: Pick<Replica, 'topicId' | 'partition' | 'step'> = {
    topicId: topicId('00000000-0000-4000-8000-000000000001'),
    partition: partitionNumber(0),
    step({ kind }: Input) {
      if (kind === 'stream-closed') streams.want(replica as Replica, leader);
      else open();
    },
  };
  open();
  await time.runUntil(() => openedAt.length >= 40, 60_000);
  streams.close();
  const pauses = openedAt.slice(1).map((at, index) => at - (openedAt[index] ?? 0));
  expect(Math.max(...pauses)).toBeLessThan(50);
});
