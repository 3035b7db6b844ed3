import { expect, it } from 'vitest';
import { HandlerLanes } from '../../../client/consumer/handler-lanes.ts';
import { OwnedPartition } from '../../../client/consumer/owned-partition.ts';
import type { Delivery } from '../../../client/consumer/record-source.ts';
import type { ReadRecord } from '../../../client/reader/read-record.ts';
import { topicId } from '../../../proto/model/ids.ts';
import { leaderEpoch, offset } from '../../../proto/model/offset.ts';

const topic = {
  topicId: topicId('00000000-0000-4000-8000-000000000001'),
  name: 'orders',
  isInternal: false,
  partitions: [],
  config: new Map<string, string>(),
};

function partition(number: number): OwnedPartition {
  return new OwnedPartition(topic, number, 1, { offset: offset(0), epoch: undefined });
}

function delivery(owned: OwnedPartition, at: number): Delivery<ReadRecord> {
  const { tracker } = owned;
  tracker.begin(offset(at), leaderEpoch(1), 0);
  const item = { key: null } as ReadRecord;
  return { item, owned, tracker, offset: offset(at), first: offset(at) };
}

it('a record that finds room when its partition is let go waits for no handler of another', async () => {
  const [slow, leaving] = [partition(0), partition(1)];
  let goOn = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const handled: number[] = [];
  const lanes = new HandlerLanes(
    1,
    async ({ owned }) => {
      handled.push(owned.partition);
      await held;
    },
    () => undefined,
  );
  await lanes.push(delivery(slow, 0));
  for (let at = 0; at < 16; at++) await lanes.push(delivery(leaving, at));
  const pushed = lanes.push(delivery(leaving, 16));
  leaving.isClosed = true;
  lanes.dropClosed();
  await pushed;
  expect(leaving.tracker.inFlight).toBe(0);
  goOn();
  await lanes.stop();
  expect(handled).toEqual([0]);
});
