/**
 * A reader's stream: batches are pushed as they come below the watermark, as long as the reader's byte
 * credit lasts. What one turn made readable leaves in few messages, each below the size that the
 * reader takes. Partitions with nothing to read cost nothing until they move.
 */
import type {
  FetchResponse,
  FetchStreamRequest,
  PartitionBatches,
  PartitionRead,
  ReadLevel,
} from '../../proto/generated/highwater/v1/fetch.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import { limits } from '../../proto/model/limits.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import type { RpcStream, RpcStreamHandlers } from '../../proto/ports/rpc.ts';
import type { Authorizer, Principal } from '../access/authorizer.ts';
import type { LogRead } from '../log/log-reader.ts';
import type { Traffic } from '../metrics/traffic.ts';
import type { HostedPartitions } from './hosted.ts';
import type { LeadershipProof } from './leadership-proof.ts';
import { openReader, PartitionReader } from './partition-reader.ts';

export interface FetchStreamOptions {
  readonly partitions: HostedPartitions;
  readonly authorizer: Authorizer;
  readonly principal: Principal;
  readonly clock: Clock;
  readonly traffic: Traffic;
  readonly proof: LeadershipProof;
}

interface Followed {
  readonly key: string;
  readonly reader: PartitionReader;
  stopWaiting: (() => void) | undefined;
  /** The reader was told that it has everything below the watermark. */
  isToldCaughtUp: boolean;
}

export class FetchStream {
  readonly #options: FetchStreamOptions;
  readonly #stream: RpcStream<FetchResponse>;
  readonly #followed = new Map<string, Followed>();
  readonly #ready = new Set<Followed>();
  #notices: PartitionBatches[] = [];
  #credit = 0;
  #level: ReadLevel = 'session';
  #messageBytesMax: number = limits.clientMessageBytesMax;
  #hasRoom = true;
  #isScheduled = false;
  #isClosed = false;

  constructor(stream: RpcStream<FetchResponse>, options: FetchStreamOptions) {
    this.#stream = stream;
    this.#options = options;
  }

  readonly handlers: RpcStreamHandlers<FetchStreamRequest> = {
    onMessage: (request) => this.#onRequest(request),
    onDrain: () => {
      this.#hasRoom = true;
      this.#schedule();
    },
    onClose: () => this.#close(),
  };

  #onRequest(request: FetchStreamRequest): void {
    if (request.level !== 'unspecified') this.#level = request.level;
    if (request.maxMessageBytes > 0)
      this.#messageBytesMax = Math.min(request.maxMessageBytes, limits.rpcMessageBytesMax);
    this.#credit += request.creditBytes;
    for (const stop of request.stop) this.#stop(`${stop.topicId}/${stop.partition}`);
    for (const start of request.start) this.#start(start);
    // Notices wait while the reader does not read: who goes on asking meanwhile is let go (row F18).
    if (this.#followed.size + this.#notices.length > limits.repeatedElementsMax) {
      this.#stream.cancel(
        new HighwaterError(
          'OVERLOADED',
          `one stream reads at most ${limits.repeatedElementsMax} partitions`,
        ),
      );
    }
    this.#schedule();
  }

  #start(read: PartitionRead): void {
    const reader = openReader(this.#options.partitions, read, {
      level: this.#level,
      proof: this.#options.proof,
    });
    if (!(reader instanceof PartitionReader)) {
      this.#notices.push(reader);
      return;
    }
    const { topic, replica } = reader;
    this.#options.authorizer.authorize(this.#options.principal, 'consume', {
      kind: 'topic',
      name: topic.name,
    });
    const key = `${topic.topicId}/${replica.partition}`;
    this.#stop(key);
    const followed: Followed = { key, reader, stopWaiting: undefined, isToldCaughtUp: false };
    this.#followed.set(key, followed);
    this.#ready.add(followed);
  }

  #stop(key: string): void {
    const followed = this.#followed.get(key);
    if (followed === undefined) return;
    followed.stopWaiting?.();
    this.#followed.delete(key);
    this.#ready.delete(followed);
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isClosed) return;
    this.#isScheduled = true;
    this.#options.clock.soon(() => {
      this.#isScheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    while (!this.#isClosed && this.#hasRoom) {
      const partitions = this.#notices;
      this.#notices = [];
      const reads: LogRead[] = [];
      this.#collect(partitions, reads);
      if (partitions.length === 0) return;
      const batches = reads.flatMap((read) => read.buffers);
      this.#hasRoom = this.#stream.send({ partitions, batches }, () => {
        for (const read of reads) read.giveBack();
      });
    }
  }

  /** One message's worth of what the ready partitions have, each in turn. */
  #collect(partitions: PartitionBatches[], reads: LogRead[]): void {
    let room = Math.min(limits.rpcMessageBytesTarget, this.#messageBytesMax);
    for (const followed of this.#ready) {
      if (room <= 0) return;
      // Without credit nothing is read; who is ready stays ready until credit comes.
      if (this.#credit <= 0) return;
      this.#ready.delete(followed);
      const step = followed.reader.step(Math.min(room, this.#credit));
      switch (step.kind) {
        case 'batches':
          partitions.push(step.part);
          reads.push(step.read);
          room -= step.part.batchBytes;
          this.#credit -= step.part.batchBytes;
          this.#options.traffic.fetched(step.part.batchBytes);
          followed.isToldCaughtUp = step.part.caughtUp;
          if (followed.reader.isDone) this.#stop(followed.key);
          else this.#ready.add(followed);
          break;
        case 'wait':
          if (!step.isBehind && !followed.isToldCaughtUp) {
            followed.isToldCaughtUp = true;
            partitions.push(followed.reader.emptyPart(true));
          }
          this.#await(followed);
          break;
        case 'reading':
          this.#awaitDisk(followed, step.done);
          break;
        case 'failed':
          partitions.push(step.part);
          this.#stop(followed.key);
      }
    }
  }

  #await(followed: Followed): void {
    followed.stopWaiting = followed.reader.replica.onceMoved(() => {
      followed.stopWaiting = undefined;
      this.#ready.add(followed);
      this.#schedule();
    });
  }

  #awaitDisk(followed: Followed, done: Promise<void>): void {
    void done.then(() => {
      if (this.#followed.get(followed.key) !== followed) return;
      this.#ready.add(followed);
      this.#schedule();
    });
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const key of [...this.#followed.keys()]) this.#stop(key);
    this.#stream.end();
  }
}
