import type {
  FetchResponse,
  FetchStreamRequest,
  PartitionRead,
} from '../../../proto/generated/highwater/v1/fetch.ts';
import { HighwaterError } from '../../../proto/model/errors.ts';
import { leaderEpoch, type Offset, offset } from '../../../proto/model/offset.ts';
import type { RpcStream, RpcStreamHandlers } from '../../../proto/ports/rpc.ts';
import type { FakeBroker } from './fake-broker.ts';
import { failureOf } from './fake-failure.ts';
import type { FakePartition } from './fake-partition.ts';

interface Followed {
  read: PartitionRead;
  next: Offset;
  partition: FakePartition;
  isToldCaughtUp: boolean;
  unwatch: () => void;
}

/** A broker's side of a fetch stream: a batch a message, as long as there is credit. */
export class FakeFetchStream {
  readonly #broker: FakeBroker;
  readonly #stream: RpcStream<FetchResponse>;
  readonly #followed = new Map<string, Followed>();
  #credit = 0;
  #level: FetchStreamRequest['level'] = 'session';

  constructor(broker: FakeBroker, stream: RpcStream<FetchResponse>) {
    this.#broker = broker;
    this.#stream = stream;
  }

  readonly handlers: RpcStreamHandlers<FetchStreamRequest> = {
    onMessage: (request) => {
      this.#credit += request.creditBytes;
      if (request.level !== 'unspecified') this.#level = request.level;
      for (const { topicId, partition } of request.stop) this.#stop(`${topicId}/${partition}`);
      for (const read of request.start) this.#start(read);
      this.#pump();
    },
    onClose: () => {
      for (const key of [...this.#followed.keys()]) this.#stop(key);
      this.#stream.end();
    },
  };

  #start(read: PartitionRead): void {
    try {
      const { partition } = this.#broker.find(read);
      if (this.#level === 'leader' && partition.leader !== this.#broker.id)
        throw new HighwaterError('NOT_LEADER', 'not here');
      for (const [at, epoch] of [
        [read.offset, read.offsetEpoch],
        [read.token?.offset, read.token?.leaderEpoch],
      ] as const) {
        if (at === undefined || epoch === undefined) continue;
        const divergedAt = partition.divergedAt(at, epoch);
        if (divergedAt === undefined) continue;
        throw new HighwaterError('POSITION_LOST', 'cut off', { facts: { divergedAt } });
      }
      if (read.offset > partition.end) throw new HighwaterError('OFFSET_OUT_OF_RANGE', 'beyond');
      const key = `${read.topicId}/${read.partition}`;
      this.#stop(key);
      const watcher = (): void => this.#broker.clock.soon(() => this.#pump());
      partition.watchers.add(watcher);
      this.#followed.set(key, {
        read,
        partition,
        next: read.offset,
        isToldCaughtUp: false,
        unwatch: () => partition.watchers.delete(watcher),
      });
    } catch (caught) {
      this.#send(read, { next: read.offset, bytes: [], caughtUp: false, failure: caught });
    }
  }

  #stop(key: string): void {
    this.#followed.get(key)?.unwatch();
    this.#followed.delete(key);
  }

  #pump(): void {
    for (const [key, followed] of this.#followed) {
      while (this.#credit > 0) {
        const { partition, read } = followed;
        const batch = partition.batches.find(({ header }) => header.lastOffset >= followed.next);
        const isBeyond = read.endOffset !== undefined && followed.next >= read.endOffset;
        if (batch === undefined || isBeyond) break;
        followed.next = offset(batch.header.lastOffset + 1);
        this.#credit -= batch.bytes.length;
        followed.isToldCaughtUp = followed.next >= partition.end;
        this.#send(read, {
          next: followed.next,
          bytes: [batch.bytes],
          caughtUp: followed.isToldCaughtUp,
          epoch: batch.header.leaderEpoch,
        });
      }
      const { read } = followed;
      if (read.endOffset !== undefined && followed.next >= read.endOffset) this.#stop(key);
      else if (followed.next >= followed.partition.end && !followed.isToldCaughtUp) {
        followed.isToldCaughtUp = true;
        this.#send(read, { next: followed.next, bytes: [], caughtUp: true });
      }
    }
  }

  #send(
    read: PartitionRead,
    part: {
      readonly next: Offset;
      readonly bytes: readonly Buffer[];
      readonly caughtUp: boolean;
      readonly epoch?: number;
      readonly failure?: unknown;
    },
  ): void {
    const { topicId, partition } = read;
    this.#stream.send({
      partitions: [
        {
          topicId,
          partition,
          batchBytes: part.bytes.reduce((sum, one) => sum + one.length, 0),
          highWatermark: offset(0),
          logStartOffset: offset(0),
          nextOffset: part.next,
          nextEpoch: leaderEpoch(part.epoch ?? 0),
          caughtUp: part.caughtUp,
          tag: read.tag,
          ...(part.failure === undefined ? {} : { failure: failureOf(part.failure) }),
        },
      ],
      batches: part.bytes,
    });
  }
}
