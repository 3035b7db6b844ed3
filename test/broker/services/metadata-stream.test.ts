import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openAuthorizer } from '../../../broker/access/authorizer.ts';
import { registerMetadata } from '../../../broker/services/metadata-service.ts';
import {
  type MetadataUpdate,
  metadataService,
  type WatchMetadataRequest,
} from '../../../proto/generated/highwater/v1/metadata.ts';
import { record } from '../../../proto/metadata/records.ts';
import { topicId } from '../../../proto/model/ids.ts';
import { revision } from '../../../proto/model/offset.ts';
import type { RpcChannel, RpcStream } from '../../../proto/ports/rpc.ts';
import { after, state, theTopic, topicWith, uuid } from '../../proto/metadata/metadata-builders.ts';
import { MemoryBed } from '../../proto/rpc/memory/memory-bed.ts';
import { KnownMetadata } from './known-metadata.ts';

describe('a stream of metadata', () => {
  let bed: MemoryBed;
  let channel: RpcChannel;
  let known: KnownMetadata;

  beforeEach(async () => {
    bed = new MemoryBed();
    known = new KnownMetadata();
    registerMetadata(bed.server, {
      source: known,
      authorizer: openAuthorizer,
      clock: bed.serverClock,
      controller: undefined as never,
    });
    channel = await bed.start();
    known.take(after(known.image, topicWith(state([1, 2]))));
  });

  afterEach(() => bed.close());

  /** A client that has asked once; `updates` grows. */
  async function watching(request: Partial<WatchMetadataRequest>): Promise<{
    readonly updates: MetadataUpdate[];
    readonly stream: RpcStream<WatchMetadataRequest>;
  }> {
    const updates: MetadataUpdate[] = [];
    const stream = channel.stream(metadataService.watchMetadata, {
      onMessage: (update) => updates.push(update),
      onClose: () => undefined,
    });
    stream.send({ revision: revision(0), topics: [], ...request });
    await bed.time.advance(10);
    return { updates, stream };
  }

  function another(name: string, number: number): void {
    const made = { topicId: topicId(uuid(number)), name, isInternal: false, config: new Map() };
    known.take(after(known.image, record('topicCreated', { ...made, partitions: [state([2])] })));
  }

  it('begins with a snapshot for who holds nothing, and goes on with what changes', async () => {
    const { updates } = await watching({});
    another('later', 200);
    await bed.time.advance(10);
    expect(
      updates.map(({ isSnapshot, topics }) => [isSnapshot, topics.map(({ name }) => name)]),
    ).toEqual([
      [true, ['orders']],
      [false, ['later']],
    ]);
  });

  it('is resumed from an earlier revision with all that changed since, as one', async () => {
    const held = known.image.revision;
    another('one', 201);
    another('two', 202);
    known.take(after(known.image, record('topicDeleted', { topicId: theTopic })));
    const { updates } = await watching({ revision: held });
    expect(updates).toHaveLength(1);
    expect(updates[0]).toMatchObject({ isSnapshot: false, revision: known.image.revision });
    expect(updates[0]?.topics.map(({ name }) => name).sort()).toEqual(['one', 'two']);
    expect(updates[0]?.deletedTopics).toEqual([theTopic]);
  });

  it('answers at once who holds the present revision, with nothing but the facts', async () => {
    const { updates } = await watching({ revision: known.image.revision });
    expect(updates).toMatchObject([{ isSnapshot: false, topics: [], brokers: [], stale: false }]);
  });

  it('begins with a snapshot where the revision is not kept, or is of the future', async () => {
    for (const at of [1, known.image.revision + 100]) {
      const { updates } = await watching({ revision: revision(at) });
      expect(updates.map(({ isSnapshot }) => isSnapshot)).toEqual([true]);
    }
  });

  it('begins anew for who holds more than its broker, once that has caught up: what it holds may be gone', async () => {
    const held = revision(known.image.revision + 2);
    const { updates } = await watching({ revision: held });
    another('short-lived', 204);
    another('other', 205);
    await bed.time.advance(10);
    const topic = topicId(uuid(204));
    known.take(after(known.image, record('topicDeleted', { topicId: topic })));
    await bed.time.advance(10);
    expect(updates.map((one) => [one.isSnapshot, one.revision >= held, one.topics.length])).toEqual(
      [
        [true, false, 1],
        [true, true, 3],
        [false, true, 0],
      ],
    );
    expect(updates[2]?.deletedTopics).toEqual([topic]);
  });

  it('does not tell who holds more of what its broker learns on the way there', async () => {
    const { updates } = await watching({ revision: revision(known.image.revision + 3) });
    another('one', 206);
    await bed.time.advance(10);
    another('two', 207);
    known.take(after(known.image, record('topicDeleted', { topicId: theTopic })));
    await bed.time.advance(10);
    expect(updates.map((one) => [one.isSnapshot, one.topics.length])).toEqual([
      [true, 1],
      [true, 2],
    ]);
  });

  it('begins anew for topics that were not asked for before', async () => {
    another('other', 203);
    const { updates, stream } = await watching({ topics: ['orders'] });
    stream.send({ revision: known.image.revision, topics: ['orders', 'other'] });
    await bed.time.advance(10);
    stream.send({ revision: known.image.revision, topics: ['other'] });
    await bed.time.advance(10);
    expect(updates.map(({ isSnapshot, topics }) => [isSnapshot, topics.length])).toEqual([
      [true, 1],
      [true, 2],
      [false, 0],
    ]);
  });

  it('says when its broker has lost touch, and when it is back', async () => {
    const { updates } = await watching({});
    for (const isStale of [true, false]) {
      known.isStale = isStale;
      known.told();
      await bed.time.advance(10);
    }
    expect(updates.map(({ stale }) => stale)).toEqual([false, true, false]);
  });
});
