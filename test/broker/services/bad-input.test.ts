/** Rows F6, F17, F18 and F20 of the bad-input table, at the services of a broker. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openAuthorizer } from '../../../broker/access/authorizer.ts';
import { hostedPartitions } from '../../../broker/main/hosted-partitions.ts';
import { Traffic } from '../../../broker/metrics/traffic.ts';
import { registerFetch } from '../../../broker/services/fetch-service.ts';
import { registerGroups } from '../../../broker/services/group-service.ts';
import { registerProduce } from '../../../broker/services/produce-service.ts';
import { FetchRequest, fetchService } from '../../../proto/generated/highwater/v1/fetch.ts';
import { groupService } from '../../../proto/generated/highwater/v1/group.ts';
import { produceService } from '../../../proto/generated/highwater/v1/produce.ts';
import { emptyImage } from '../../../proto/metadata/image.ts';
import { nodeId, partitionNumber, type TopicId } from '../../../proto/model/ids.ts';
import { limits } from '../../../proto/model/limits.ts';
import { offset, producerEpoch } from '../../../proto/model/offset.ts';
import type { RpcChannel, RpcCodec, UnaryMethod } from '../../../proto/ports/rpc.ts';
import { MemoryBed } from '../../proto/rpc/memory/memory-bed.ts';
import { failure } from '../../proto/rpc/rpc-bed.ts';

const deadlineMs = 5_000;
const largest = Number.MAX_SAFE_INTEGER;
/** A partition of a topic that does not exist, in the forms of both services. */
const named = { topicId: '' as TopicId, topic: 'nowhere', partition: partitionNumber(0) };
const read = { ...named, offset: offset(largest), maxBytes: 0 };
const write = { ...named, batchBytes: 0, records: [] };

function times<Item>(count: number, item: Item): Item[] {
  return Array.from({ length: count }, () => item);
}

describe('a broker', () => {
  let bed: MemoryBed;
  let channel: RpcChannel;

  beforeEach(async () => {
    bed = new MemoryBed();
    const shared = {
      partitions: hostedPartitions(
        nodeId(1),
        () => emptyImage,
        () => undefined,
      ),
      authorizer: openAuthorizer,
      clock: bed.serverClock,
      traffic: new Traffic(),
    };
    const init = async () => ({ producerId: undefined, producerEpoch: producerEpoch(0) });
    // Nothing that is refused comes so far as to need a proof.
    registerFetch(bed.server, { ...shared, proof: undefined as never });
    registerProduce(bed.server, { ...shared, producerIds: { init } as never });
    registerGroups(bed.server, {
      ...shared,
      // Nothing that is refused comes so far.
      coordinator: undefined as never,
      image: () => emptyImage,
      find: () => undefined,
    });
    channel = await bed.start();
  });

  afterEach(() => bed.close());

  const fetchRequest = { partitions: [read], maxWaitMs: 0, minBytes: 0, maxBytes: 0 };

  it('answers a fetch of the largest offset, sizes and times at once where there is nothing', async () => {
    const most = 2 ** 32 - 1;
    const request = { maxWaitMs: most, minBytes: most, maxBytes: most };
    const started = bed.clientClock.now();
    const { partitions } = await bed.settled(
      channel.unary(
        fetchService.fetch,
        { ...fetchRequest, ...request, level: 'leader' },
        { deadlineMs },
      ),
    );
    // It has not followed the metadata yet, so it cannot say what there is not.
    expect(partitions[0]?.failure?.code).toBe('LEADER_NOT_AVAILABLE');
    expect(bed.clientClock.now() - started).toBeLessThan(deadlineMs);
  });

  it.each([
    ['-1', 'ffffffffffffffffff01'],
    ['2^53', '8080808080808010'],
    ['2^63', '80808080808080808001'],
  ])('refuses an offset of %s, which no number holds exactly (F17)', async (_what, varint) => {
    const place = Buffer.concat([Buffer.of(0x12, 1, 0x61, 0x20), Buffer.from(varint, 'hex')]);
    const request = Buffer.concat([Buffer.of(0x0a, place.length), place]);
    const error = await failure(bed, channel.unary(rawFetch, request, { deadlineMs }));
    expect(error).toMatchObject({ code: 'INVALID_REQUEST', outcome: 'not-written' });
  });

  it('refuses more partitions than one message may name (F18)', async () => {
    const reads = { ...fetchRequest, level: 'leader' as const };
    const partitions = times(limits.repeatedElementsMax + 1, read);
    const fetched = channel.unary(fetchService.fetch, { ...reads, partitions }, { deadlineMs });
    expect(await failure(bed, fetched)).toMatchObject({ code: 'INVALID_REQUEST' });
    const writes = times(limits.repeatedElementsMax + 1, write);
    const produced = channel.unary(
      produceService.produce,
      { requestId: 1, acks: 'all', timeoutMs: 0, partitions: writes, batches: [] },
      { deadlineMs },
    );
    expect(await failure(bed, produced)).toMatchObject({ code: 'INVALID_REQUEST' });
  });

  it.each([
    ['', '0 bytes; expected 1 to 255'],
    ['g'.repeat(256), '256 bytes; expected 1 to 255'],
    ['é'.repeat(128), '256 bytes'],
    ['clear\u001b[2J', '"\\u001b" at 5'],
    ['two\nlines', '"\\n" at 3'],
    ['c1 \u009b', 'at 3'],
  ])('refuses a group named %j (F20)', async (group, text) => {
    const asked = channel.unary(groupService.describeGroup, { group }, { deadlineMs });
    const error = await failure(bed, asked);
    expect(error).toMatchObject({ code: 'INVALID_REQUEST', outcome: 'not-written' });
    expect(error.message).toContain(text);
  });

  it('refuses a member whose own names are long or odd (F20)', async () => {
    const hello = { group: 'g', member: 'm', instance: '', rack: '', assignor: '', clientHost: '' };
    const more = { topics: [], topicPattern: '', sessionTimeoutMs: 0 };
    for (const name of ['member', 'instance', 'rack', 'clientHost'] as const) {
      const closedWith: unknown[] = [];
      const stream = channel.stream(groupService.join, {
        onMessage() {},
        onClose: (error) => {
          closedWith.push(error);
        },
      });
      stream.send({ message: { kind: 'hello', value: { ...hello, ...more, [name]: 'a\0' } } });
      await bed.settled(new Promise<void>((resolve) => bed.clientClock.after(100, resolve)));
      expect(closedWith).toMatchObject([{ code: 'INVALID_REQUEST' }]);
    }
  });

  it('stops reading a producer that does not read its answers (F6)', async () => {
    let isFull = false;
    const handlers = { onMessage() {}, onDrain: () => (isFull = false), onClose() {} };
    const stream = channel.stream(produceService.produceStream, handlers);
    stream.pause();
    const partitions = times(2_000, write);
    let requests = 0;
    for (; requests < 2_000; requests++) {
      isFull = !stream.send({
        requestId: requests,
        acks: 'all',
        timeoutMs: 0,
        partitions,
        batches: [],
      });
      if (isFull)
        await bed.settled(new Promise<void>((resolve) => bed.clientClock.after(100, resolve)));
      if (isFull) break;
    }
    expect(isFull).toBe(true);
    stream.cancel();
  });

  it('lets a reader go that goes on asking and does not read the refusals (F18)', async () => {
    const closedWith: unknown[] = [];
    const stream = channel.stream(fetchService.fetchStream, {
      onMessage() {},
      onClose: (error) => {
        closedWith.push(error);
      },
    });
    stream.pause();
    const start = times(5_000, read);
    for (let requests = 0; requests < 200 && closedWith.length === 0; requests++) {
      stream.send({ start, stop: [], creditBytes: largest, level: 'leader', maxMessageBytes: 0 });
      await bed.settled(new Promise<void>((resolve) => bed.clientClock.after(10, resolve)));
    }
    stream.resume();
    await bed.settled(new Promise<void>((resolve) => bed.clientClock.after(1_000, resolve)));
    expect(closedWith).toMatchObject([{ code: 'OVERLOADED' }]);
  });
});

const rawBytes: RpcCodec<Buffer> = { encode: (bytes) => [bytes], decode: (bytes) => bytes };

/** The method of a fetch, with bytes of one's own as the request. */
const rawFetch: UnaryMethod<Buffer, unknown> = {
  ...fetchService.fetch,
  request: rawBytes,
  response: FetchRequest,
};
