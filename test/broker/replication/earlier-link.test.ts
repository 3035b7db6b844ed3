/** A follower that comes back before its old link is known to be dead is two feeds at its leader for a while. */
import { expect, it } from 'vitest';
import { FollowerFrame } from '../../../proto/generated/highwater/peer/v1/replication.ts';
import { nodeId } from '../../../proto/model/ids.ts';
import { brokerEpoch, leaderEpoch, offset } from '../../../proto/model/offset.ts';
import type { LinkEndpoint, LinkStream, LinkStreamHandlers } from '../../../proto/ports/link.ts';
import { noPeers } from '../../support/no-peers.ts';
import { leaderOfOne } from './one-leader.ts';

type Accept = Parameters<LinkEndpoint['accept']>[1];

const follower = nodeId(3);
const identity = { slot: 1, stream: 1, leaderEpoch: leaderEpoch(1) };

/** The leader, and two links of its follower: both count their streams from one. */
async function twoLinks() {
  let accept: Accept = () => ({ onFrame() {}, onClose() {} });
  const endpoint = { ...noPeers, accept: (_kind: unknown, taken: Accept) => void (accept = taken) };
  const { world, driver } = await leaderOfOne({}, endpoint);
  const link: LinkStream = { send: () => true, consumed() {}, close() {} };
  const dial = async (incarnation: number): Promise<LinkStreamHandlers> => {
    const handlers = accept(link, { nodeId: follower } as Parameters<Accept>[1]);
    const { topicId, partition } = driver;
    const open = { ...identity, topicId, partition, logEnd: offset(0) };
    const frame = {
      open: [{ ...open, brokerEpoch: brokerEpoch(incarnation), lastEpoch: undefined }],
    };
    send(handlers, { ...frame, reports: [], close: [] });
    await world.settle();
    return handlers;
  };
  const storedBy3 = (): number | undefined => {
    const { role } = driver.state;
    return role.kind === 'leader' ? role.followers.get(follower)?.storedEnd : undefined;
  };
  const earlier = await dial(13);
  return { earlier, present: await dial(23), storedBy3 };
}

function send(handlers: LinkStreamHandlers, frame: FollowerFrame): void {
  handlers.onFrame(Buffer.concat(FollowerFrame.encode(frame)), Buffer.alloc(0));
}

function report(handlers: LinkStreamHandlers): void {
  const reports = [{ ...identity, logEnd: offset(1), storedEnd: offset(1) }];
  send(handlers, { open: [], reports, close: [] });
}

it('the end of the old link ends no stream of the follower that has come back', async () => {
  const { earlier, present, storedBy3 } = await twoLinks();
  earlier.onClose('silent');
  report(present);
  expect(storedBy3()).toBe(1);
});

it('what the old link still brings is not stored by the follower that has come back', async () => {
  const { earlier, storedBy3 } = await twoLinks();
  report(earlier);
  expect(storedBy3()).toBeUndefined();
});
