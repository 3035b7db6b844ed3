/**
 * One partition on a follower's stream: how far it was sent, and how much of that is not yet reported
 * back. Only a started slot sends; the start names the offset on which both logs agree.
 */
import type {
  OpenReplica,
  SlotBatches,
  SlotWatermark,
} from '../../proto/generated/highwater/peer/v1/replication.ts';
import type { NodeId } from '../../proto/model/ids.ts';
import {
  type BrokerEpoch,
  type LeaderEpoch,
  leaderEpoch,
  type Offset,
  offset,
} from '../../proto/model/offset.ts';
import type { LogRead } from '../log/log-reader.ts';
import type { Replica } from './replica.ts';

/** Bytes of one partition sent and not reported as received. */
const windowBytes = 8 * 1024 * 1024;

export class FeedSlot {
  readonly number: number;
  readonly replica: Replica;
  readonly stream: number;
  /** The incarnation that opened it: a later one may come before its link is known to be dead (rule B1.3). */
  readonly brokerEpoch: BrokerEpoch;
  /** The base of the batch to begin with, if the log begins inside it. */
  base: Offset | undefined;
  /** The next offset to send. */
  next: Offset = offset(0);
  isStarted = false;
  /** The epoch in which it was started. */
  epoch: LeaderEpoch = leaderEpoch(0);
  /** It waits for its turn to send what lies below `#pacedBelow`. */
  isHeld = false;
  /** What was there when a replica on the move began is sent at a bounded rate. */
  #pacedBelow: Offset = offset(0);
  #watermarkSent = -1;
  #startSent = -1;
  #isReading = false;
  #fetched: LogRead | undefined;
  /** Ends and sizes of what is under way, oldest first. */
  #underWay: { readonly end: Offset; readonly bytes: number }[] = [];
  #bytesUnderWay = 0;

  constructor(
    replica: Replica,
    { slot, stream, brokerEpoch }: Pick<OpenReplica, 'slot' | 'stream' | 'brokerEpoch'>,
  ) {
    this.number = slot;
    this.replica = replica;
    this.stream = stream;
    this.brokerEpoch = brokerEpoch;
  }

  start(from: Offset, epoch: LeaderEpoch, pacedBelow: Offset): void {
    this.next = from;
    this.epoch = epoch;
    this.#pacedBelow = pacedBelow;
    this.isStarted = true;
    this.#fetched = undefined;
    this.#underWay = [];
    this.#bytesUnderWay = 0;
  }

  stop(): void {
    this.isStarted = false;
    this.#fetched = undefined;
  }

  /** The stream is at its end, or its link. */
  close(follower: NodeId): void {
    const { replica, brokerEpoch, stream } = this;
    replica.step({ kind: 'follower-closed', follower, brokerEpoch, stream });
  }

  /** True while there is something to send and the window is open. */
  get hasMore(): boolean {
    return (
      this.isStarted &&
      !this.#isReading &&
      this.#bytesUnderWay < windowBytes &&
      this.next < this.replica.log.endOffset
    );
  }

  /** What comes next is sent at a bounded rate. */
  get isPaced(): boolean {
    return this.next < this.#pacedBelow;
  }

  /** Takes note of a report; true if that opened the window for more. */
  reported(logEnd: Offset): boolean {
    const wasFull = this.#bytesUnderWay >= windowBytes;
    while (this.#underWay[0] !== undefined && this.#underWay[0].end <= logEnd) {
      this.#bytesUnderWay -= this.#underWay.shift()?.bytes ?? 0;
    }
    return wasFull && this.hasMore;
  }

  /** What goes before the batches in the frame; moves on behind them. */
  sent({ bytes, endOffset }: LogRead): SlotBatches {
    const baseOffset = this.next;
    this.next = endOffset;
    this.#underWay.push({ end: endOffset, bytes });
    this.#bytesUnderWay += bytes;
    this.#watermarkSent = this.replica.watermark;
    return {
      slot: this.number,
      stream: this.stream,
      leaderEpoch: this.epoch,
      baseOffset,
      bytes,
      highWatermark: this.replica.watermark,
    };
  }

  /** A watermark or log start that the follower has not been told yet. */
  watermarkToSend(): SlotWatermark | undefined {
    const { watermark, log } = this.replica;
    if (
      !this.isStarted ||
      (watermark === this.#watermarkSent && log.startOffset === this.#startSent)
    )
      return undefined;
    this.#watermarkSent = watermark;
    this.#startSent = log.startOffset;
    return {
      slot: this.number,
      stream: this.stream,
      leaderEpoch: this.epoch,
      highWatermark: watermark,
      logStart: log.startOffset,
    };
  }

  /** One read from disk at a time; nothing is sent meanwhile. */
  beginReading(): void {
    this.#isReading = true;
  }

  endReading(from: Offset, read: LogRead | undefined): void {
    this.#isReading = false;
    if (this.isStarted && from === this.next) this.#fetched = read;
  }

  /** What a cold read brought, once. */
  fetched(): LogRead | undefined {
    const read = this.#fetched;
    this.#fetched = undefined;
    return read;
  }
}
