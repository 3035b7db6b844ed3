/** A follower whose disk is slower than its leader: it falls behind, and never out. */
import { expect, it } from 'vitest';
import { leaderEpoch, offset } from '../../../proto/model/offset.ts';
import { hang, onOperation } from '../../../proto/ports/memory/disk-faults.ts';
import { batch } from '../log/batches.ts';
import { metadata } from './core/builders.ts';
import { loneReplica } from './lone-replica.ts';
import { type Opening, type SendFrame, scriptedLeader } from './scripted-leader.ts';

const records = 6;

/** All of six records of 1,200 bytes that the stream lacks, at once, a frame each. */
function sendAll({ slot, stream, logEnd, leaderEpoch: epoch }: Opening, send: SendFrame): void {
  const highWatermark = offset(0);
  const value = { from: logEnd, epochStart: offset(0), highWatermark, logStart: offset(0) };
  send({ opened: [{ slot, stream, leaderEpoch: epoch, answer: { kind: 'start', value } }] });
  for (let at = Number(logEnd); at < records; at++) {
    const bytes = batch({ baseOffset: at, payload: 1_200, epoch: 1 });
    const entry = { slot, stream, leaderEpoch: epoch, baseOffset: offset(at), highWatermark };
    send({ batches: [{ ...entry, bytes: bytes.length }] }, bytes);
  }
}

it('what does not fit beside what waits to be stored is asked for again once there is room', async () => {
  const limits = { reserveBytes: 0, unstoredBytesPerLogMax: 3_000 };
  const { world, log, driver, failures } = await loneReplica(2, scriptedLeader(sendAll), limits);
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
