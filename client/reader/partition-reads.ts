/**
 * Keeps every partition of a reader with a broker that serves it: starts it, goes on elsewhere at the
 * same place when the broker fails, is deposed or lags behind the session, and gives up only on what
 * no other broker can mend. Invariant: what is received is a gapless continuation of what was received
 * before, whichever broker sent it: the next offset and its epoch are all that is carried over, and the
 * broker checks them against its history (rule B6.8).
 */
import type { FetchResponse, PartitionBatches } from '../../proto/generated/highwater/v1/fetch.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import type { NodeId } from '../../proto/model/ids.ts';
import type { Offset } from '../../proto/model/offset.ts';
import type { Timer } from '../../proto/ports/clock.ts';
import { drawBackoff } from '../connection/backoff.ts';
import { errorOfFailure } from '../connection/failure.ts';
import { decideGrants } from './core/credit.ts';
import { chooseReplica } from './core/replica-choice.ts';
import { FetchConnection } from './fetch-connection.ts';
import { isLagging, type PartitionCursor, readOf, received } from './partition-cursor.ts';
import type { PartitionReadsOptions } from './partition-reads-options.ts';
import { ChunkQueue, scanBatches, shareOf } from './read-chunk.ts';
import { deletedTopic, isBearable, withPlace } from './read-failure.ts';
import { type AddressedReplica, candidatesFor, mayStay } from './replica-candidates.ts';

const backoff = { minMs: 20, maxMs: 1_000 };
const sweepMs = 500;
/** A broker that failed is passed over for so long where there is a choice. */
const avoidMs = 5_000;

export class PartitionReads {
  readonly queue = new ChunkQueue();
  readonly #options: PartitionReadsOptions;
  readonly #cursors: PartitionCursor[] = [];
  readonly #connections = new Map<NodeId, FetchConnection>();
  readonly #timers = new Set<Timer>();
  readonly #stopWatching: () => void;
  #sweepTimer: Timer | undefined;
  #isClosed = false;
  #starts = 0;
  #isReplenishing = false;

  constructor(options: PartitionReadsOptions) {
    this.#options = options;
    this.#stopWatching = options.parts.metadata.onChange(() => this.#reassign());
    this.#sweepLater();
  }

  /** Begins to read; called once with all partitions. */
  begin(cursors: readonly PartitionCursor[]): void {
    this.#cursors.push(...cursors);
    for (const cursor of cursors) {
      if (cursor.to !== undefined && cursor.next >= cursor.to) cursor.isDone = true;
      else this.#assign(cursor);
    }
    this.#finishIfDone();
  }

  /** Reads one more partition; for reads that are told of failures one by one. */
  add(cursor: PartitionCursor): void {
    this.#cursors.push(cursor);
    this.#assign(cursor);
  }

  /** Reads a partition no longer; what is queued of it is left to the consumer to pass over. */
  remove(cursor: PartitionCursor): void {
    const at = this.#cursors.indexOf(cursor);
    if (at >= 0) this.#cursors.splice(at, 1);
    cursor.isDone = true;
    cursor.connection?.stop({ topicId: cursor.topic.topicId, partition: cursor.partition });
    cursor.connection = undefined;
  }

  /** Bytes were consumed: more may be sent. */
  replenish(): void {
    this.#isReplenishing = false;
    const lines = [...this.#connections.values()];
    const { prefetchBytesMax } = this.#options;
    for (const { line, bytes } of decideGrants(lines, prefetchBytesMax, this.queue.bytes)) {
      line.grant(bytes);
    }
  }

  /** Each broker gets its share once the partitions of this turn are placed. */
  #replenishSoon(): void {
    const { clock } = this.#options.parts.machine;
    if (!this.#isReplenishing) clock.soon(() => this.replenish());
    this.#isReplenishing = true;
  }

  close(): void {
    this.#leaveBrokers();
    this.queue.clear();
    this.queue.finish();
  }

  /** Nothing more is received; what is queued stays. */
  #leaveBrokers(): void {
    this.#isClosed = true;
    this.#stopWatching();
    this.#sweepTimer?.cancel();
    for (const timer of this.#timers) timer.cancel();
    for (const connection of this.#connections.values()) connection.close();
    this.#connections.clear();
  }

  #assign(cursor: PartitionCursor): void {
    if (this.#isClosed) return;
    const { clock } = this.#options.parts.machine;
    const chosen = this.#choose(cursor);
    if (chosen === undefined) return; // The metadata will tell when there is somebody to ask.
    const connection = this.#connectionTo(chosen.nodeId, chosen.address);
    cursor.connection = connection;
    cursor.isHeard = false;
    cursor.startedMs = clock.now();
    cursor.tag = ++this.#starts;
    connection.start(readOf(cursor, this.#options.session));
    this.#replenishSoon();
  }

  #choose(cursor: PartitionCursor): AddressedReplica | undefined {
    const { parts, rack, readFrom, level } = this.#options;
    const candidates = candidatesFor(cursor, parts.metadata.view, parts.machine.clock.now());
    const needsLeader = level === 'leader' || level === 'linearizable';
    const from = needsLeader ? 'leader' : readFrom;
    const chosen = chooseReplica(candidates, { readFrom: from, rack, drawn: cursor.drawn });
    return candidates.find((one) => one.nodeId === chosen?.nodeId);
  }

  #connectionTo(nodeId: NodeId, address: string): FetchConnection {
    const known = this.#connections.get(nodeId);
    if (known !== undefined && known.address === address) return known;
    known?.close();
    const { parts, level } = this.#options;
    const connection = new FetchConnection({
      nodeId,
      address,
      channels: parts.channels,
      clock: parts.machine.clock,
      level,
      onMessage: (from, message) => this.#onMessage(from, message),
      onClose: (from, error) => this.#onClose(from, error),
    });
    this.#connections.set(nodeId, connection);
    return connection;
  }

  #onMessage(connection: FetchConnection, message: FetchResponse): void {
    const payload = message.batches[0];
    let at = 0;
    for (const part of message.partitions) {
      const from = at;
      at += part.batchBytes;
      const cursor = this.#cursors.find(
        (one) =>
          one.connection === connection &&
          (part.tag === undefined || one.tag === part.tag) &&
          one.partition === part.partition &&
          one.topic.topicId === part.topicId,
      );
      if (cursor === undefined) continue;
      this.#onPart(cursor, part, shareOf(payload, from, part.batchBytes));
    }
    this.#finishIfDone();
    this.replenish();
  }

  #onPart(cursor: PartitionCursor, part: PartitionBatches, bytes: Buffer): void {
    try {
      if (part.failure !== undefined) throw errorOfFailure(part.failure);
      const headers = scanBatches(bytes);
      const place = {
        topic: cursor.topic.name,
        partition: cursor.partition,
        from: cursor.next,
        to: cursor.to,
      };
      received(cursor, part, bytes.length);
      this.queue.push({ cursor, place, bytes, headers, isCaughtUp: part.caughtUp });
    } catch (caught) {
      this.#failed(cursor, HighwaterError.from(caught));
    }
  }

  #onClose(connection: FetchConnection, error: HighwaterError | undefined): void {
    if (this.#connections.get(connection.nodeId) === connection)
      this.#connections.delete(connection.nodeId);
    this.#options.parts.metadata.suspect();
    const reason = error ?? new HighwaterError('CONNECTION_LOST', 'the broker ended the stream');
    // Whoever is told that one was given up takes it out of the list.
    for (const cursor of [...this.#cursors]) {
      if (cursor.connection === connection && !cursor.isDone) this.#failed(cursor, reason);
    }
  }

  /** One attempt failed: another broker, or the same one after a pause; or the end of reading. */
  #failed(cursor: PartitionCursor, error: HighwaterError): void {
    if (this.#isClosed) return;
    const { parts, session } = this.#options;
    const { clock, random } = parts.machine;
    const nowMs = clock.now();
    const { connection } = cursor;
    cursor.connection = undefined;
    if (error.code === 'OFFSET_OUT_OF_RANGE' && this.#options.restart !== undefined) {
      void this.#restart(cursor, this.#options.restart);
      return;
    }
    if (!isBearable(cursor, error, nowMs)) {
      if (error.code === 'POSITION_LOST') session.forget(cursor.topic.topicId, cursor.partition);
      cursor.isDone = true;
      this.#giveUp(cursor, withPlace(error, cursor));
      return;
    }
    cursor.failures++;
    cursor.failingSinceMs ??= nowMs;
    if (connection !== undefined) {
      cursor.avoided.set(connection.nodeId, nowMs + avoidMs);
      connection.stop({ topicId: cursor.topic.topicId, partition: cursor.partition });
    }
    parts.metadata.suspect();
    const timer = clock.after(drawBackoff(random, cursor.failures, backoff), () => {
      this.#timers.delete(timer);
      if (cursor.connection === undefined && !cursor.isDone) this.#assign(cursor);
    });
    this.#timers.add(timer);
  }

  /** What was asked for is not kept: goes on where the reader's user wants. */
  async #restart(cursor: PartitionCursor, to: (cursor: PartitionCursor) => Promise<Offset>) {
    try {
      cursor.next = await to(cursor);
      cursor.epoch = undefined;
      if (!cursor.isDone && !this.#isClosed) this.#assign(cursor);
    } catch (caught) {
      this.#giveUp(cursor, withPlace(HighwaterError.from(caught), cursor));
    }
  }

  /** The metadata has changed: who reads from a broker that is no longer the right one moves. */
  #reassign(): void {
    const { view } = this.#options.parts.metadata;
    for (const cursor of [...this.#cursors]) {
      if (cursor.isDone) continue;
      if (!view.topicsById.has(cursor.topic.topicId)) {
        cursor.isDone = true;
        this.#giveUp(cursor, deletedTopic(cursor));
        continue;
      }
      const { connection } = cursor;
      if (connection === undefined) {
        this.#assign(cursor);
        continue;
      }
      const chosen = this.#choose(cursor);
      if (chosen === undefined || chosen.nodeId === connection.nodeId) continue;
      if (this.#options.readFrom === 'nearest' && mayStay(cursor, view, connection.nodeId))
        continue;
      connection.stop({ topicId: cursor.topic.topicId, partition: cursor.partition });
      this.#assign(cursor);
    }
  }

  #sweepLater(): void {
    this.#sweepTimer = this.#options.parts.machine.clock.after(sweepMs, () => {
      if (this.#isClosed) return;
      this.#sweep();
      this.#sweepLater();
    });
  }

  #sweep(): void {
    const nowMs = this.#options.parts.machine.clock.now();
    for (const connection of this.#connections.values()) connection.checkSilence(nowMs);
    for (const cursor of this.#cursors) {
      const { connection } = cursor;
      if (connection === undefined || !isLagging(cursor, nowMs)) continue;
      if (this.#options.readFrom !== 'nearest') continue;
      cursor.avoided.set(connection.nodeId, nowMs + avoidMs);
      const chosen = this.#choose(cursor);
      if (chosen === undefined || chosen.nodeId === connection.nodeId) continue;
      connection.stop({ topicId: cursor.topic.topicId, partition: cursor.partition });
      this.#assign(cursor);
    }
  }

  #giveUp(cursor: PartitionCursor, error: HighwaterError): void {
    const { onGivenUp } = this.#options;
    if (onGivenUp !== undefined) return onGivenUp(cursor, error);
    this.queue.finish(error);
    this.#leaveBrokers();
  }

  #finishIfDone(): void {
    if (this.#options.onGivenUp !== undefined) return;
    if (this.#cursors.every((cursor) => cursor.isDone)) this.queue.finish();
  }
}
