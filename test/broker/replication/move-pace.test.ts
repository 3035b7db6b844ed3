import { describe, expect, it } from 'vitest';
import { FollowerFeed } from '../../../broker/replication/follower-feed.ts';
import { MovePace } from '../../../broker/replication/move-pace.ts';
import type { Replica } from '../../../broker/replication/replica.ts';
import { FollowerFrame } from '../../../proto/generated/highwater/peer/v1/replication.ts';
import { nodeId, partitionNumber, topicId } from '../../../proto/model/ids.ts';
import { brokerEpoch, leaderEpoch, offset } from '../../../proto/model/offset.ts';
import { silentLogger } from '../../../proto/ports/logger.ts';
import { VirtualTime } from '../../../proto/ports/memory/virtual-time.ts';
import { batch } from '../log/batches.ts';

const follower = nodeId(2);
const batchBytes = 100_000;
const rate = 1_000_000;
const theTopic = topicId('00000000-0000-4000-8000-000000000001');

/** A follower's feed of partitions with logs of so many batches, and when their bytes were sent. */
function fed(time: VirtualTime, isAdded: (partition: number) => boolean, lengths: number[]) {
  const { clock } = time;
  const sent: { readonly atMs: number; readonly bytes: number }[] = [];
  const ends = [...lengths];
  const replicas = lengths.map((_, partition) => {
    const log = {
      startOffset: offset(0),
      get endOffset() {
        return offset(ends[partition] ?? 0);
      },
      lend: (from: number) => {
        const bytes = batch({ baseOffset: from, payload: batchBytes });
        const endOffset = offset(from + 1);
        return { buffers: [bytes], bytes: bytes.length, endOffset, giveBack() {} };
      },
    };
    const own = { topicId: theTopic, partition: partitionNumber(partition), watermark: offset(0) };
    return { ...own, log, step: () => undefined, followerReported() {} } as unknown as Replica;
  });
  const feed = new FollowerFeed({
    follower,
    stream: {
      send(_, payload = []) {
        const bytes = payload.reduce((sum, part) => sum + part.length, 0);
        if (bytes > 0) sent.push({ atMs: clock.now(), bytes });
        return true;
      },
      consumed() {},
      close() {},
    },
    lookup: (_, partition) => replicas[partition],
    pace: new MovePace(clock, rate),
    isAdded: ({ partition }) => isAdded(partition),
    clock,
    logger: silentLogger,
    onClosed() {},
  });
  for (const [partition, replica] of replicas.entries()) {
    const epoch = { leaderEpoch: leaderEpoch(1), brokerEpoch: brokerEpoch(1) };
    const end = { lastEpoch: undefined, logEnd: offset(0), stream: 1 };
    const place = { slot: partition + 1, topicId: theTopic, partition: partitionNumber(partition) };
    const open = [{ ...place, ...epoch, ...end }];
    const header = Buffer.concat(FollowerFrame.encode({ open, reports: [], close: [] }));
    feed.handlers.onFrame(header, Buffer.alloc(0));
    const start = { kind: 'start', from: offset(0), epochStart: offset(0), watermark: offset(0) };
    feed.answerOpen(replica, {
      kind: 'answer-open',
      follower,
      stream: 1,
      leaderEpoch: leaderEpoch(1),
      answer: start as never,
    });
  }
  const bytesUntil = (ms: number): number =>
    sent.reduce((sum, { atMs, bytes }) => (atMs <= ms ? sum + bytes : sum), 0);
  const append = (partition: number, count: number): void => {
    ends[partition] = (ends[partition] ?? 0) + count;
    const replica = replicas[partition];
    if (replica !== undefined) feed.touched(replica);
  };
  return { bytesUntil, append };
}

describe('a follower that a reassignment adds', () => {
  it('is sent what was there before at the rate, whatever it could take', async () => {
    const time = new VirtualTime();
    const start = time.clock.now();
    const { bytesUntil } = fed(time, () => true, [20, 20]);
    for (const seconds of [1, 2, 3]) {
      await time.advance(1_000);
      // A burst is saved up while nothing was sent, and a batch is never divided.
      const most = rate * (seconds + 0.1) + 2 * batchBytes;
      expect(bytesUntil(start + seconds * 1_000)).toBeLessThanOrEqual(most);
      expect(bytesUntil(start + seconds * 1_000)).toBeGreaterThan(rate * seconds * 0.8);
    }
    await time.advance(2_000);
    expect(bytesUntil(Infinity)).toBeGreaterThan(40 * batchBytes);
  });

  it('is not held back in what is appended meanwhile, so that it catches up', async () => {
    const time = new VirtualTime();
    const { bytesUntil, append } = fed(time, () => true, [10]);
    append(0, 50);
    await time.advance(1_200);
    expect(bytesUntil(Infinity)).toBeGreaterThan(60 * batchBytes);
  });

  it('holds back nobody else', async () => {
    const time = new VirtualTime();
    const { bytesUntil } = fed(time, (partition) => partition === 0, [50, 50]);
    await time.advance(10);
    expect(bytesUntil(Infinity)).toBeGreaterThan(50 * batchBytes);
    expect(bytesUntil(Infinity)).toBeLessThan(55 * batchBytes);
  });
});
