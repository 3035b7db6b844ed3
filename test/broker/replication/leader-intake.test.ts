import { expect, it } from 'vitest';
import { LeaderIntake } from '../../../broker/replication/leader-intake.ts';
import type { Replica } from '../../../broker/replication/replica.ts';
import {
  FollowerFrame,
  LeaderFrame,
} from '../../../proto/generated/highwater/peer/v1/replication.ts';
import { nodeId, partitionNumber, topicId } from '../../../proto/model/ids.ts';
import { brokerEpoch, leaderEpoch, type Offset, offset } from '../../../proto/model/offset.ts';
import type { LinkStreamHandlers } from '../../../proto/ports/link.ts';
import { silentLogger } from '../../../proto/ports/logger.ts';
import { VirtualTime } from '../../../proto/ports/memory/virtual-time.ts';

const leader = nodeId(1);
const epoch = leaderEpoch(1);

/** An intake with one open stream of one replica, and the reports that it has sent. */
async function followed() {
  const time = new VirtualTime();
  const sent: { readonly logEnd: Offset; readonly storedEnd: Offset | undefined }[] = [];
  let handlers: LinkStreamHandlers | undefined;
  const intake = new LeaderIntake({
    leader,
    clock: time.clock,
    logger: silentLogger,
    openLink(own) {
      handlers = own;
      return {
        send(header) {
          const { reports } = FollowerFrame.decode(Buffer.from(header));
          for (const { logEnd, storedEnd } of reports) sent.push({ logEnd, storedEnd });
          return true;
        },
        consumed() {},
        close() {},
      };
    },
    onTaken() {},
    onClosed() {},
  });
  const replica = {
    topicId: topicId('00000000-0000-4000-8000-000000000001'),
    partition: partitionNumber(0),
    takeReplicated: () => true,
    log: { isBacklogged: false },
  } as unknown as Replica;
  const open = { leader, leaderEpoch: epoch, brokerEpoch: brokerEpoch(1), stream: 1 } as const;
  intake.open(replica, { kind: 'open-stream', ...open, lastEpoch: undefined, logEnd: offset(0) });
  const settle = (): Promise<void> => time.advance(1);
  await settle();
  const take = (bytes: number): void => {
    const batch = { slot: 1, stream: 1, leaderEpoch: epoch, baseOffset: offset(0), bytes };
    const batches = [{ ...batch, highWatermark: offset(0) }];
    const frame = LeaderFrame.encode({ opened: [], batches, watermarks: [] });
    handlers?.onFrame(Buffer.concat(frame), Buffer.alloc(bytes));
  };
  const report = (logEnd: number, storedEnd: number | undefined): void => {
    const stored = storedEnd === undefined ? undefined : offset(storedEnd);
    const ends = { logEnd: offset(logEnd), storedEnd: stored };
    intake.report(replica, { kind: 'report', ...open, ...ends });
  };
  return { sent, settle, take, report };
}

it('what was received is told together with what is stored', async () => {
  const { sent, settle, take, report } = await followed();
  report(0, 0);
  await settle();
  take(1000);
  report(10, 0);
  await settle();
  expect(sent).toEqual([{ logEnd: 0, storedEnd: 0 }]);
  report(10, 10);
  await settle();
  expect(sent.slice(1)).toEqual([{ logEnd: 10, storedEnd: 10 }]);
});

it('what was received is told while the disk stands still, before the window of the leader is full', async () => {
  const { sent, settle, take, report } = await followed();
  report(0, 0);
  for (let logEnd = 1; logEnd <= 8; logEnd++) {
    take(512 * 1024);
    report(logEnd, 0);
    await settle();
  }
  expect(sent.map(({ logEnd }) => logEnd)).toEqual([1, 3, 5, 7]);
});

it('every report of a stream that does not count yet is told', async () => {
  const { sent, settle, report } = await followed();
  for (const logEnd of [1, 2, 3]) {
    report(logEnd, undefined);
    await settle();
  }
  expect(sent.map(({ logEnd }) => logEnd)).toEqual([1, 2, 3]);
});
