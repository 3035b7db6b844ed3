import { expect, it } from 'vitest';
import { partitionKey } from '../../../broker/group/core/group-state.ts';
import type { GroupLog } from '../../../broker/group/group-log.ts';
import { GroupShard } from '../../../broker/group/group-shard.ts';
import type { MemberLine } from '../../../broker/group/member-sessions.ts';
import type { ErrorCode, HighwaterError } from '../../../proto/model/errors.ts';
import { leaderEpoch, offset } from '../../../proto/model/offset.ts';
import { VirtualTime } from '../../../proto/ports/memory/virtual-time.ts';
import { nextBatch } from '../../../proto/wire/batch-scan.ts';
import { openBatch } from '../../../proto/wire/open-batch.ts';
import { imageWithTopics, joining, topicNumber } from './group-builders.ts';

type Done = (failure: ErrorCode | undefined) => void;

/** A log that acknowledges when it is told to; what it has, a later shard reads. */
class HeldLog implements GroupLog {
  readonly isLed = true;
  readonly batches: Buffer[];
  readonly #waiting: Done[] = [];

  constructor(batches: readonly Buffer[] = []) {
    this.batches = [...batches];
  }

  append(batch: Buffer, done: Done): void {
    this.batches.push(batch);
    this.#waiting.push(done);
  }

  acknowledge(failure?: ErrorCode): void {
    for (const done of this.#waiting.splice(0)) done(failure);
  }

  load(onRecord: Parameters<GroupLog['load']>[0]): Promise<void> {
    for (const batch of this.batches) {
      const header = nextBatch(batch, 0);
      const cursor = header.kind === 'batch' ? openBatch(batch, header) : undefined;
      if (cursor === undefined || 'kind' in cursor)
        throw new Error('a batch that was not written here');
      while (cursor.next()) onRecord(cursor);
    }
    return Promise.resolve();
  }
}

class Line implements MemberLine {
  readonly told: (readonly [number, number])[] = [];
  ended: HighwaterError | 'orderly' | undefined;

  assign(generation: number, partitions: ReadonlyMap<string, number>): void {
    this.told.push([generation, partitions.size]);
  }

  end(error: HighwaterError | undefined): void {
    this.ended = error ?? 'orderly';
  }
}

const image = imageWithTopics({ a: 4 });
const key = partitionKey(topicNumber('a'), 0);

async function world(batches: readonly Buffer[] = []) {
  const time = new VirtualTime();
  const clock = time.clockFor('node');
  const log = new HeldLog(batches);
  const failures: ErrorCode[] = [];
  const shard = new GroupShard({
    log,
    clock,
    image: () => image,
    onEvent: () => undefined,
    onFailed: (code) => failures.push(code),
  });
  await shard.load();
  return { time, log, shard, failures };
}

function commitOf(member: string, generation: number, at: number) {
  const one = { partition: key, offset: offset(at), leaderEpoch: leaderEpoch(1) };
  return { member, generation, offsets: [{ ...one, note: '', committedAtMs: 0 }] };
}

it('a member is told what it holds only once that is committed', async () => {
  const { time, log, shard } = await world();
  const line = new Line();
  shard.join('g', joining('m1', ['a']), line);
  await time.advance(1);
  expect(line.told).toEqual([]);
  log.acknowledge();
  expect(line.told).toEqual([[1, 4]]);
});

it('a failover loses nothing that was told, and the members keep what they hold', async () => {
  const before = await world();
  before.shard.join('g', joining('m1', ['a']), new Line());
  await before.time.advance(1);
  before.log.acknowledge();
  const committing = before.shard.commit('g', commitOf('m1', 1, 7));
  await before.time.advance(1);
  before.log.acknowledge();
  expect(await committing).toEqual([undefined]);

  const { time, log, shard } = await world(before.log.batches);
  const read = await shard.read('g', (state) => state?.offsets.get(key)?.offset);
  expect(read).toBe(7);
  const line = new Line();
  shard.join('g', joining('m1', ['a']), line);
  await time.advance(1);
  expect(line.told).toEqual([[1, 4]]);
  expect(log.batches).toHaveLength(before.log.batches.length);
});

it('offsets that wait for their commitment are not read', async () => {
  const { time, log, shard } = await world();
  const committing = shard.commit('g', commitOf('', 0, 7));
  const reading = shard.read('g', (state) => state?.offsets.get(key)?.offset);
  let isRead = false;
  void reading.then(() => (isRead = true));
  await time.advance(1);
  await Promise.resolve();
  expect(isRead).toBe(false);
  log.acknowledge();
  expect(await committing).toEqual([undefined]);
  expect(await reading).toBe(7);
});

it('an append that fails ends the shard, and nobody is told that it was done', async () => {
  const { time, log, shard, failures } = await world();
  const line = new Line();
  const committing = shard.commit('g', commitOf('', 0, 7));
  shard.join('g', joining('m1', ['a']), line);
  await time.advance(1);
  const outcome = committing.catch((error: HighwaterError) => error.code);
  log.acknowledge('LEADERSHIP_LOST');
  expect(failures).toEqual(['LEADERSHIP_LOST']);
  expect(await outcome).toBe('NOT_COORDINATOR');
  expect(line.told).toEqual([]);
  expect(line.ended).toMatchObject({ code: 'NOT_COORDINATOR' });
  expect(() => shard.join('g', joining('m1', ['a']), new Line())).toThrow(/does not lead/);
});

it('a silent member is given up after its session, one that speaks is not', async () => {
  const { time, log, shard } = await world();
  const [silent, speaking] = [new Line(), new Line()];
  shard.join('g', joining('m1', ['a'], { sessionTimeoutMs: 2_000 }), silent);
  shard.join('g', joining('m2', ['a'], { sessionTimeoutMs: 2_000 }), speaking);
  for (let ms = 0; ms < 3_000; ms += 200) {
    shard.heard('g', 'm2');
    await time.advance(200);
    shard.tick();
    log.acknowledge();
  }
  expect(silent.ended).toMatchObject({ code: 'UNKNOWN_MEMBER' });
  expect(speaking.ended).toBeUndefined();
  expect(speaking.told.at(-1)).toEqual([3, 4]);
});

it('offsets of a group that was left expire after a failover too, by the time at which it was left', async () => {
  const before = await world();
  before.shard.join('g', joining('m1', ['a']), new Line());
  const committing = before.shard.commit('g', commitOf('m1', 1, 7));
  await before.time.advance(5_000);
  before.shard.leave('g', 'm1');
  await before.time.advance(1);
  before.log.acknowledge();
  expect(await committing).toEqual([undefined]);

  const { time, log, shard } = await world(before.log.batches);
  const offsets = async () => {
    const reading = shard.read('g', (state) => state?.offsets.size);
    await time.advance(1);
    log.acknowledge();
    return reading;
  };
  await time.advance(5_500);
  shard.expire(1_000);
  expect(await offsets()).toBe(1);
  await time.advance(1_000);
  shard.expire(1_000);
  expect(await offsets()).toBeUndefined();
});

it('a subscription too long for the log is refused and harms no other group', async () => {
  const { time, log, shard, failures } = await world();
  const [line, other] = [new Line(), new Line()];
  shard.join('h', joining('m9', ['a']), other);
  const long = 'x'.repeat(9 * 1024 * 1024);
  expect(() => shard.join('g', joining('m0', [long]), line)).toThrow(/topic/);
  await time.advance(1);
  log.acknowledge();
  expect(failures).toEqual([]);
  expect(other.ended).toBeUndefined();
  expect(other.told).toEqual([[1, 4]]);
});

it('a group whose members subscribe to more than one change could hold takes no further ones', async () => {
  const { time, shard, failures } = await world();
  const names = Array.from({ length: 1_000 }, (_, at) => `${at}-${'x'.repeat(200)}`);
  const join = (): void => {
    for (let at = 0; at < 60; at++) shard.join('g', joining(`m${at}`, names), new Line());
  };
  expect(join).toThrow(/subscribe/);
  await time.advance(1);
  expect(failures).toEqual([]);
});

it('offsets that fill more than one batch are committed, and deleted, in several', async () => {
  const { time, log, shard, failures } = await world();
  const group = 'g'.repeat(255);
  const note = 'n'.repeat(4_096);
  const offsets = Array.from({ length: 24_000 }, (_, at) => ({
    partition: partitionKey(topicNumber('a'), at),
    offset: offset(at),
    leaderEpoch: leaderEpoch(1),
    note: at < 2_500 ? note : '',
    committedAtMs: 0,
  }));
  const committed = shard.commit(group, { member: '', generation: 0, offsets });
  await time.advance(1);
  log.acknowledge();
  await committed;
  const deleted = shard.delete(group);
  await time.advance(1);
  log.acknowledge();
  await deleted;
  expect(failures).toEqual([]);
  const later = await world(log.batches);
  expect(await later.shard.readAll((state) => state.group)).toEqual([]);
});
