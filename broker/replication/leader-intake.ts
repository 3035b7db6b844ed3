/**
 * Takes from one leader node: every partition that this node follows there, on one stream. Openings
 * and reports of one turn leave in one frame; of several reports of a partition the last is enough,
 * since it tells how far the replica is, not what came.
 *
 * Credit is given back once the log has taken the bytes and is not behind with writing them, so a
 * slow disk slows its leader and never fills the memory.
 */
import {
  FollowerFrame,
  LeaderFrame,
  type OpenReplica,
  type ReplicaReport,
} from '../../proto/generated/highwater/peer/v1/replication.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import type { NodeId } from '../../proto/model/ids.ts';
import type { Offset } from '../../proto/model/offset.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import type { LinkCloseReason, LinkStream, LinkStreamHandlers } from '../../proto/ports/link.ts';
import type { Logger } from '../../proto/ports/logger.ts';
import { decodeOpenAnswer } from './answer-codec.ts';
import type { OpenStream, Report } from './core/effects.ts';
import type { Replica } from './replica.ts';

export interface LeaderIntakeOptions {
  readonly leader: NodeId;
  readonly clock: Clock;
  readonly logger: Logger;
  openLink(handlers: LinkStreamHandlers): LinkStream;
  /** The leader took an opening: it leads, and knows that it does. */
  onTaken(): void;
  onClosed(intake: LeaderIntake, reason: LinkCloseReason): void;
}

interface IntakeSlot {
  readonly number: number;
  readonly replica: Replica;
  stream: number;
}

export class LeaderIntake {
  readonly leader: NodeId;
  readonly #options: LeaderIntakeOptions;
  readonly #link: LinkStream;
  readonly #slots = new Map<number, IntakeSlot>();
  readonly #byReplica = new Map<Replica, IntakeSlot>();
  #nextSlot = 1;
  #opens: OpenReplica[] = [];
  #reports = new Map<number, ReplicaReport>();
  #closes: number[] = [];
  #isScheduled = false;
  #isClosed = false;

  constructor(options: LeaderIntakeOptions) {
    this.#options = options;
    this.leader = options.leader;
    this.#link = options.openLink({
      onFrame: (header, payload) => this.#onFrame(header, payload),
      onClose: (reason) => this.#onClose(reason),
    });
  }

  /** Asks for a stream of a partition; replaces an earlier one of the same replica. */
  open(replica: Replica, effect: OpenStream): void {
    let slot = this.#byReplica.get(replica);
    if (slot === undefined) {
      slot = { number: this.#nextSlot++, replica, stream: effect.stream };
      this.#slots.set(slot.number, slot);
      this.#byReplica.set(replica, slot);
    }
    slot.stream = effect.stream;
    this.#reports.delete(slot.number);
    this.#opens.push({
      slot: slot.number,
      topicId: replica.topicId,
      partition: replica.partition,
      leaderEpoch: effect.leaderEpoch,
      brokerEpoch: effect.brokerEpoch,
      lastEpoch: effect.lastEpoch,
      logEnd: effect.logEnd,
      stream: effect.stream,
    });
    this.#schedule();
  }

  report(replica: Replica, effect: Report): void {
    const slot = this.#byReplica.get(replica);
    if (slot === undefined || slot.stream !== effect.stream) return;
    const { stream, leaderEpoch, logEnd, storedEnd } = effect;
    this.#reports.set(slot.number, { slot: slot.number, stream, leaderEpoch, logEnd, storedEnd });
    this.#schedule();
  }

  /** The replica follows somebody else. */
  forget(replica: Replica): void {
    const slot = this.#byReplica.get(replica);
    if (slot === undefined) return;
    this.#byReplica.delete(replica);
    this.#slots.delete(slot.number);
    this.#reports.delete(slot.number);
    this.#closes.push(slot.number);
    this.#schedule();
  }

  close(): void {
    this.#link.close();
    this.#onClose('local');
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
    if (this.#isClosed) return;
    const frame = { open: this.#opens, reports: [...this.#reports.values()], close: this.#closes };
    this.#opens = [];
    this.#reports = new Map();
    this.#closes = [];
    this.#link.send(Buffer.concat(FollowerFrame.encode(frame)));
  }

  #onFrame(header: Buffer, payload: Buffer): void {
    let frame: LeaderFrame;
    try {
      frame = LeaderFrame.decode(header);
    } catch (caught) {
      this.#refuse(HighwaterError.from(caught).message);
      return;
    }
    for (const wire of frame.opened) {
      const slot = this.#slots.get(wire.slot);
      const answer = decodeOpenAnswer(wire);
      if (slot?.stream !== wire.stream || answer === undefined) continue;
      const { stream, leaderEpoch } = wire;
      // A leader also refuses a stream that it had started, when its log no longer reaches back.
      if (answer.kind === 'refused') {
        slot.replica.step({ kind: 'stream-closed', stream });
        continue;
      }
      this.#options.onTaken();
      slot.replica.step({ kind: 'stream-answered', stream, leaderEpoch, answer });
    }
    const slow = this.#takeBatches(frame, payload);
    for (const mark of frame.watermarks) {
      const slot = this.#slots.get(mark.slot);
      if (slot?.stream !== mark.stream) continue;
      const { stream, leaderEpoch, highWatermark } = mark;
      this.#followStart(slot.replica, mark.logStart);
      const baseOffset = slot.replica.log.endOffset;
      slot.replica.takeReplicated({
        stream,
        leaderEpoch,
        baseOffset,
        bytes: nothing,
        watermark: highWatermark,
      });
    }
    this.#giveCredit(payload.length, slow);
  }

  /** Hands each slot its share of the payload; returns the logs that are behind with writing. */
  #takeBatches(frame: LeaderFrame, payload: Buffer): Replica[] {
    const slow: Replica[] = [];
    let at = 0;
    for (const entry of frame.batches) {
      const bytes = payload.subarray(at, at + entry.bytes);
      at += entry.bytes;
      const slot = this.#slots.get(entry.slot);
      if (slot?.stream !== entry.stream) continue;
      const { stream, leaderEpoch, baseOffset, highWatermark } = entry;
      if (!slot.replica.log.hasRoomFor(bytes.length)) {
        // Where an append is refused the log has failed: so nothing is appended, and a new stream begins here.
        slot.replica.step({ kind: 'stream-closed', stream });
        slow.push(slot.replica);
        continue;
      }
      const isTaken =
        bytes.length === entry.bytes &&
        slot.replica.takeReplicated({
          stream,
          leaderEpoch,
          baseOffset,
          bytes,
          watermark: highWatermark,
        });
      if (!isTaken) {
        this.#refuse(
          `batches of ${slot.replica.topicId}/${slot.replica.partition} at ${baseOffset} are damaged or do not fit`,
        );
        return slow;
      }
      if (slot.replica.log.isBacklogged) slow.push(slot.replica);
    }
    return slow;
  }

  #giveCredit(bytes: number, slow: readonly Replica[]): void {
    if (bytes === 0) return;
    if (slow.length === 0) {
      this.#link.consumed(bytes);
      return;
    }
    void Promise.all(slow.map((replica) => replica.log.drained())).then(() =>
      this.#link.consumed(bytes),
    );
  }

  /** Records that the leader deleted go here too, as far as they are below the watermark. */
  #followStart(replica: Replica, logStart: Offset): void {
    if (logStart <= replica.log.startOffset || logStart > replica.watermark) return;
    replica.deleteRecords(logStart).catch((error: unknown) => {
      this.#options.logger.warn('delete-failed', 'Deleted records could not be removed here.', {
        error,
      });
    });
  }

  /** A leader whose bytes cannot be trusted is left and asked again (row F25). */
  #refuse(message: string): void {
    this.#options.logger.error(
      'leader-frame-refused',
      'A leader sent what cannot be taken; its stream is opened again.',
      {
        leader: this.leader,
        message,
      },
    );
    this.close();
  }

  #onClose(reason: LinkCloseReason): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const slot of this.#slots.values())
      slot.replica.step({ kind: 'stream-closed', stream: slot.stream });
    this.#options.onClosed(this, reason);
  }
}

const nothing: Buffer = Buffer.alloc(0);
