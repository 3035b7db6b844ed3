/** A follower whose disk is slower than its leader: it falls behind, and never out. */
import { expect, it } from 'vitest';
import { openReplica } from '../../../broker/partitions/open-replica.ts';
import type { PartitionDriver } from '../../../broker/replication/partition-driver.ts';
import type { ReplicaNode } from '../../../broker/replication/replica-node.ts';
import { ReplicationStreams } from '../../../broker/replication/replication-streams.ts';
import {
  FollowerFrame,
  LeaderFrame,
} from '../../../proto/generated/highwater/peer/v1/replication.ts';
import { nodeId, partitionNumber } from '../../../proto/model/ids.ts';
import { brokerEpoch, leaderEpoch, offset } from '../../../proto/model/offset.ts';
import type { LinkEndpoint, LinkStreamHandlers } from '../../../proto/ports/link.ts';
import { silentLogger } from '../../../proto/ports/logger.ts';
import { hang, onOperation } from '../../../proto/ports/memory/disk-faults.ts';
import { state } from '../../proto/metadata/metadata-builders.ts';
import { batch } from '../log/batches.ts';
import { LogWorld } from '../log/log-world.ts';
import { metadata } from './core/builders.ts';

const records = 6;

/** A leader with six records of 1,200 bytes, which sends what a stream lacks at once, a frame each. */
function eagerLeader(): LinkEndpoint {
  let handlers: LinkStreamHandlers | undefined;
  const send = (frame: LeaderFrame, payload: Buffer): void =>
    handlers?.onFrame(Buffer.concat(LeaderFrame.encode(frame)), payload);
  const answer = ({
    slot,
    stream,
    logEnd,
    leaderEpoch: epoch,
  }: FollowerFrame['open'][number]): void => {
    const highWatermark = offset(0);
    const start = { from: logEnd, epochStart: offset(0), highWatermark, logStart: offset(0) };
    const opened = {
      slot,
      stream,
      leaderEpoch: epoch,
      answer: { kind: 'start', value: start },
    } as const;
    send({ opened: [opened], batches: [], watermarks: [] }, Buffer.alloc(0));
    for (let at = Number(logEnd); at < records; at++) {
      const bytes = batch({ baseOffset: at, payload: 1_200, epoch: 1 });
      const entry = { slot, stream, leaderEpoch: epoch, baseOffset: offset(at), highWatermark };
      send({ opened: [], batches: [{ ...entry, bytes: bytes.length }], watermarks: [] }, bytes);
    }
  };
  return {
    listen: (_, port) => Promise.resolve(port),
    accept() {},
    open(_, __, own) {
      handlers = own;
      return {
        send(header) {
          for (const open of FollowerFrame.decode(Buffer.from(header)).open) answer(open);
          return true;
        },
        consumed() {},
        close() {},
      };
    },
    watch() {},
    close: () => Promise.resolve(),
  };
}

it('what does not fit beside what waits to be stored is asked for again once there is room', async () => {
  const world = new LogWorld();
  world.limits = { reserveBytes: 0, unstoredBytesPerLogMax: 3_000 };
  await world.start();
  const log = await world.create(0);
  const { clock } = world;
  const failures: unknown[] = [];
  const streams = new ReplicationStreams({
    ...{ endpoint: eagerLeader(), clock, logger: silentLogger, lookup: () => driver },
    addressOf: (node) => ({ nodeId: node, host: 'leader', port: 1 }),
    moves: { bytesPerSecond: 0, isAdded: () => false },
  });
  const node: ReplicaNode = {
    ...{ clock, streams, answerPromise() {}, resign() {}, handOverReady() {}, record() {} },
    ...{ wantTicks() {}, judgeLease() {}, propose() {} },
    logFailed: (_replica, failure) => void failures.push(failure),
    fail(error) {
      throw error;
    },
  };
  const partition = { ...state([1, 2, 3]), partition: partitionNumber(0) };
  const host = { nodeId: nodeId(2), brokerEpoch: brokerEpoch(2), node, rules: undefined };
  const past = { partition, isStart: false, streams: 0 };
  const driver: PartitionDriver = openReplica({ ...host, isLeaseHeld: () => true }, log, past);
  const stuck = world.disk.faults.add(onOperation('sync'), hang);
  driver.step({ kind: 'metadata', metadata: metadata({ leaderEpoch: leaderEpoch(1) }) });
  await world.settle(500);
  expect(log.logEndOffset).toBe(2);
  expect(failures).toEqual([]);
  stuck.remove();
  await world.settle(2_000);
  expect(log.storedEnd).toBe(records);
  expect(driver.state.role.kind).toBe('follower');
});
