/**
 * Feeds one follower node: all partitions that this node leads and that one follows, on one stream.
 *
 * Batches are pushed as they are appended, from the very buffers that were received; what one turn
 * produced leaves in few frames. The stream's credit bounds what is under way, and each partition has
 * a window of its own, so that a slow one does not use up the credit of the others. Partitions with
 * nothing to say are not looked at.
 */
import {
  FollowerFrame,
  LeaderFrame,
  type OpenReplica,
  type ReplicaReport,
} from '../../proto/generated/highwater/peer/v1/replication.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import type { NodeId } from '../../proto/model/ids.ts';
import { limits } from '../../proto/model/limits.ts';
import { type Offset, offset } from '../../proto/model/offset.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import type { LinkStream, LinkStreamHandlers } from '../../proto/ports/link.ts';
import type { Logger } from '../../proto/ports/logger.ts';
import type { LogRead } from '../log/log-reader.ts';
import { encodeOpenAnswer, refusedOpen } from './answer-codec.ts';
import type { AnswerOpen } from './core/effects.ts';
import { FeedSlot } from './feed-slot.ts';
import { feedStart, isPassed, readNext } from './feed-start.ts';
import type { MovePace } from './move-pace.ts';
import type { Replica, ReplicaLookup } from './replica.ts';

export interface FollowerFeedOptions {
  readonly follower: NodeId;
  readonly stream: LinkStream;
  readonly lookup: ReplicaLookup;
  /** For replicas on the move. */
  readonly pace: MovePace;
  isAdded(replica: Replica): boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  onClosed(feed: FollowerFeed): void;
}

export class FollowerFeed {
  readonly follower: NodeId;
  readonly #options: FollowerFeedOptions;
  readonly #slots = new Map<number, FeedSlot>();
  readonly #byReplica = new Map<Replica, FeedSlot>();
  /** Slots with batches or a watermark to send, in the order in which they became so. */
  readonly #dirty = new Set<FeedSlot>();
  #answers: ReturnType<typeof encodeOpenAnswer>[] = [];
  #isScheduled = false;
  #hasCredit = true;
  #isClosed = false;

  constructor(options: FollowerFeedOptions) {
    this.#options = options;
    this.follower = options.follower;
  }

  /** What the link calls. */
  readonly handlers: LinkStreamHandlers = {
    onFrame: (header, payload) => this.#onFrame(header, payload),
    onDrain: () => {
      this.#hasCredit = true;
      this.#schedule();
    },
    onClose: () => this.#close(),
  };

  /** The replica's answer to an opening. After `start`, batches follow. */
  answerOpen(replica: Replica, answer: AnswerOpen): void {
    const slot = this.#byReplica.get(replica);
    if (slot === undefined || slot.stream !== answer.stream) return;
    this.#answers.push(encodeOpenAnswer(slot.number, answer, replica.log.startOffset));
    if (answer.answer.kind === 'start') {
      const pacedBelow = this.#options.isAdded(replica) ? replica.log.endOffset : offset(0);
      slot.start(answer.answer.from, answer.leaderEpoch, pacedBelow);
      this.#dirty.add(slot);
    } else {
      slot.stop();
    }
    this.#schedule();
  }

  /** The replica no longer leads, or dropped this follower. */
  stop(replica: Replica, stream: number): void {
    const slot = this.#byReplica.get(replica);
    if (slot?.stream === stream) slot.stop();
  }

  /** The replica appended, or its watermark moved. */
  touched(replica: Replica): void {
    const slot = this.#byReplica.get(replica);
    if (slot?.isStarted !== true) return;
    this.#dirty.add(slot);
    this.#schedule();
  }

  close(): void {
    this.#options.stream.close();
    this.#close();
  }

  #onFrame(header: Buffer, payload: Buffer): void {
    if (payload.length > 0) this.#options.stream.consumed(payload.length);
    let frame: FollowerFrame;
    try {
      frame = FollowerFrame.decode(header);
    } catch (caught) {
      const { message } = HighwaterError.from(caught);
      this.#options.logger.warn(
        'follower-frame-refused',
        'A follower sent a frame that cannot be read.',
        { follower: this.follower, message },
      );
      this.close();
      return;
    }
    for (const open of frame.open) this.#onOpen(open);
    for (const report of frame.reports) this.#onReport(report);
    for (const number of frame.close) this.#forget(number);
  }

  #onOpen(open: OpenReplica): void {
    const replica = this.#options.lookup(open.topicId, open.partition);
    this.#forget(open.slot);
    if (replica === undefined) {
      this.#answers.push(refusedOpen(open.slot, open.stream, open.leaderEpoch));
      this.#schedule();
      return;
    }
    const earlier = this.#byReplica.get(replica);
    if (earlier !== undefined) this.#slots.delete(earlier.number);
    const slot = new FeedSlot(replica, open);
    this.#slots.set(open.slot, slot);
    this.#byReplica.set(replica, slot);
    const start = feedStart(replica.log, open);
    if (start === undefined) this.#opened(slot, open);
    else
      start.then(
        (base) => this.#opened(slot, open, base),
        () => this.#readFailed(slot),
      );
  }

  #opened(slot: FeedSlot, open: OpenReplica, base?: Offset): void {
    if (this.#slots.get(slot.number) !== slot) return;
    slot.base = base;
    const { brokerEpoch, stream, leaderEpoch, lastEpoch, logEnd } = open;
    slot.replica.step({
      kind: 'follower-opened',
      ...{ follower: this.follower, brokerEpoch, stream, leaderEpoch, lastEpoch, logEnd },
      ...(base === undefined ? {} : { base }),
    });
  }

  #onReport(report: ReplicaReport): void {
    const slot = this.#slots.get(report.slot);
    if (slot === undefined || slot.stream !== report.stream) return;
    if (slot.reported(report.logEnd)) {
      this.#dirty.add(slot);
      this.#schedule();
    }
    slot.replica.followerReported(this.follower, slot.brokerEpoch, report);
  }

  #forget(number: number): void {
    const slot = this.#slots.get(number);
    if (slot === undefined) return;
    this.#slots.delete(number);
    this.#byReplica.delete(slot.replica);
    this.#dirty.delete(slot);
    slot.close(this.follower);
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isClosed) return;
    this.#isScheduled = true;
    this.#options.clock.soon(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (!this.#isClosed && this.#hasCredit) {
      const answers = this.#answers;
      this.#answers = [];
      const frame = this.#collect();
      if (answers.length === 0 && frame === undefined) return;
      const batches = frame?.batches ?? [];
      const watermarks = frame?.watermarks ?? [];
      const header = LeaderFrame.encode({ opened: answers, batches, watermarks });
      const reads = frame?.reads ?? [];
      this.#hasCredit = this.#options.stream.send(Buffer.concat(header), frame?.payload, () => {
        for (const read of reads) read.giveBack();
      });
    }
  }

  /** One frame's worth of what the dirty slots have, each in turn. */
  #collect(): CollectedFrame | undefined {
    if (this.#dirty.size === 0) return undefined;
    const frame: CollectedFrame = { batches: [], watermarks: [], payload: [], reads: [] };
    let room: number = limits.rpcMessageBytesTarget;
    const { pace } = this.#options;
    for (const slot of this.#dirty) {
      if (room <= 0) break;
      this.#dirty.delete(slot);
      if (slot.isPaced && !pace.isFree) {
        this.#hold(slot);
        continue;
      }
      const taken = this.#take(slot, room);
      if (taken === undefined) {
        const watermark = slot.watermarkToSend();
        if (watermark !== undefined) frame.watermarks.push(watermark);
        continue;
      }
      if (slot.isPaced) pace.sent(taken.bytes);
      frame.batches.push(slot.sent(taken));
      frame.payload.push(...taken.buffers);
      frame.reads.push(taken);
      room -= taken.bytes;
      if (slot.hasMore) this.#dirty.add(slot);
    }
    const isEmpty = frame.batches.length === 0 && frame.watermarks.length === 0;
    return isEmpty ? undefined : frame;
  }

  #hold(slot: FeedSlot): void {
    if (slot.isHeld) return;
    slot.isHeld = true;
    this.#options.pace.whenFree(() => {
      slot.isHeld = false;
      if (this.#slots.get(slot.number) !== slot) return;
      this.#dirty.add(slot);
      this.#schedule();
    });
  }

  /** Batches of a slot from memory; reads that need the disk come back later. */
  #take(slot: FeedSlot, bytesMax: number): LogRead | undefined {
    if (!slot.hasMore) return undefined;
    const read = readNext(slot, bytesMax);
    if (read instanceof Promise) {
      this.#awaitDisk(slot, read);
      return undefined;
    }
    // Retention has passed the follower: it opens again and is told where the log starts.
    if (isPassed(slot, read)) this.#refuse(slot);
    else if (read !== undefined && read.bytes > 0) return read;
    return undefined;
  }

  #awaitDisk(slot: FeedSlot, reading: Promise<LogRead>): void {
    const from = slot.next;
    slot.beginReading();
    reading.then(
      (read) => {
        slot.endReading(from, read);
        this.#dirty.add(slot);
        this.#schedule();
      },
      (error: unknown) => {
        slot.endReading(from, undefined);
        this.#options.logger.error('feed-read-failed', 'A read for a follower failed.', {
          follower: this.follower,
          error,
        });
        this.#readFailed(slot);
      },
    );
  }

  /** It opens again: without an answer it would wait for batches for ever. */
  #readFailed(slot: FeedSlot): void {
    if (this.#slots.get(slot.number) === slot) this.#refuse(slot);
    this.#schedule();
  }

  #refuse(slot: FeedSlot): void {
    this.#answers.push(refusedOpen(slot.number, slot.stream, slot.epoch));
    this.#forget(slot.number);
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const number of [...this.#slots.keys()]) this.#forget(number);
    this.#options.onClosed(this);
  }
}

interface CollectedFrame {
  readonly batches: LeaderFrame['batches'][number][];
  readonly watermarks: LeaderFrame['watermarks'][number][];
  readonly payload: Buffer[];
  /** Given back once the frame has left. */
  readonly reads: LogRead[];
}
