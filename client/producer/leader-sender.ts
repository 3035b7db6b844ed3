/**
 * The stream to one broker, for all partitions that it leads: gathers their batches into messages, and
 * hands each answer to the partition it is for.
 *
 * A broker that owes answers and is silent is asked a question on the same connection; if that is not
 * answered either, the connection is dropped whole and what was on it counts as maybe written. So a
 * hung process, a dead machine and a cut cable look alike: nobody waits for TCP.
 */

import {
  type PartitionWrite,
  type ProduceRequest,
  type ProduceResponse,
  produceService,
} from '../../proto/generated/highwater/v1/produce.ts';
import type { Acks } from '../../proto/model/acks.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import { limits } from '../../proto/model/limits.ts';
import { Numbered } from '../../proto/model/numbered.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import type { RpcChannel, RpcStream } from '../../proto/ports/rpc.ts';
import type { CompressionCodec } from '../../proto/wire/compression/codec.ts';
import type { BrokerChannels } from '../connection/broker-channels.ts';
import { errorOfFailure } from '../connection/failure.ts';
import { answers } from '../connection/probe.ts';
import { mayLeave } from './core/leaving.ts';
import { Gathering } from './gathering.ts';
import { lostWith } from './lost-stream.ts';
import type { PartitionProducer, WaitedBatch } from './partition-producer.ts';
import { writeOf } from './partition-write.ts';

export interface LeaderSenderOptions {
  readonly address: string;
  readonly clock: Clock;
  readonly channels: BrokerChannels;
  /** How long the broker may wait for the level of one request. */
  readonly requestTimeoutMs: number;
  /** False while the codec is being loaded. */
  readonly isReady: () => boolean;
  /** No leader owed an answer when this turn began. */
  readonly areAllIdle: () => boolean;
  /** This leader owes no more answers. */
  readonly idle: () => void;
  readonly codec: () => CompressionCodec | undefined;
  /** Silence after which a broker that owes answers is asked. */
  readonly silenceMs: number;
  /** The broker did not behave as the metadata says: look for news. */
  readonly suspect: () => void;
}

/** The id of requests at level `none`: nobody looks for them when an answer comes. */
const unanswered = 0;

interface SentBatch {
  readonly partition: PartitionProducer;
  readonly batch: WaitedBatch;
  readonly attempt: number;
}

interface SentRequest {
  readonly batches: readonly SentBatch[];
  readonly bytes: number;
}

export class LeaderSender {
  readonly address: string;
  readonly #options: LeaderSenderOptions;
  readonly #ready = new Set<PartitionProducer>();
  readonly #requests = new Numbered<SentRequest>();
  #open: { readonly channel: RpcChannel; readonly stream: RpcStream<ProduceRequest> } | undefined;
  #bytesInFlight = 0;
  #batchesInFlight = 0;
  #hasRoom = true;
  #isScheduled = false;
  #isProbing = false;
  #lastSentMs = Number.NEGATIVE_INFINITY;
  #lastHeardMs = Number.NEGATIVE_INFINITY;
  readonly #gathering: Gathering;

  constructor(options: LeaderSenderOptions) {
    this.address = options.address;
    this.#options = options;
    this.#gathering = new Gathering(options.clock, () => this.pump());
  }

  /** It owes an answer. */
  get isBusy(): boolean {
    return this.#requests.size > 0;
  }

  /** Sent and not answered. */
  get bytesInFlight(): number {
    return this.#bytesInFlight;
  }

  /** The partition may have something to send; it leaves with what this turn brings. */
  enqueue(partition: PartitionProducer): void {
    this.#ready.add(partition);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#options.clock.soon(() => {
      this.#isScheduled = false;
      this.pump();
    });
  }

  /** The partition has another leader: what is on its way here counts as maybe written. */
  abandon(partition: PartitionProducer): void {
    this.#ready.delete(partition);
    const error = new HighwaterError('LEADERSHIP_LOST', `${this.address} leads no more`, {
      outcome: 'maybe-written',
    });
    for (const { batches } of this.#requests.values()) {
      for (const sent of batches) {
        if (sent.partition === partition) partition.refused(sent.batch, sent.attempt, error);
      }
    }
  }

  /** Called from time to time while anything waits for an answer. */
  checkSilence(nowMs: number): void {
    if (this.#requests.size === 0) return;
    const { silenceMs, suspect } = this.#options;
    const silentMs = nowMs - Math.max(this.#lastHeardMs, this.#lastSentMs);
    // The metadata may come from the same broker: it has to be live before the next leader is chosen.
    if (silentMs >= silenceMs / 4) suspect();
    const isSilent = silentMs >= silenceMs;
    if (isSilent && !this.#isProbing && this.#open !== undefined)
      void this.#probe(this.#open.channel);
  }

  close(): void {
    this.#gathering.end();
    this.#open?.stream.cancel();
    this.#open = undefined;
    this.#requests.clear();
    this.#ready.clear();
  }

  /** Sends what may leave. */
  pump(): void {
    const { clock, isReady, areAllIdle } = this.#options;
    while (this.#hasRoom && isReady()) {
      const nowMs = clock.now();
      const bytesGathered = this.#gathered(nowMs);
      const mayGo = mayLeave({
        areAllIdle: areAllIdle(),
        requestsInFlight: this.#requests.size,
        bytesInFlight: this.#bytesInFlight,
        batchesInFlight: this.#batchesInFlight,
        bytesGathered,
        gatheredMs: this.#gathering.gatheredMs(nowMs),
      });
      if (!mayGo && bytesGathered > 0) this.#gathering.wait(nowMs);
      else this.#gathering.end();
      if (!mayGo) return;
      this.#sendMessage(nowMs);
    }
  }

  /** Bytes that may leave, counted up to one message; forgets partitions that have none. */
  #gathered(nowMs: number): number {
    let bytes = 0;
    for (const partition of this.#ready) {
      const next = partition.queue.next(nowMs);
      if (next === undefined || partition.sender !== this) this.#ready.delete(partition);
      else bytes += next.byteLength;
      if (bytes >= limits.rpcMessageBytesTarget) break;
    }
    return bytes;
  }

  /** One message: the ready partitions in turn, all at the acks level of the first. */
  #sendMessage(nowMs: number): void {
    const stream = this.#stream();
    if (stream === undefined) return;
    let acks: Acks | undefined;
    let bytes = 0;
    let leftMs = this.#options.requestTimeoutMs;
    const writes: PartitionWrite[] = [];
    const parts: Buffer[] = [];
    const sent: SentBatch[] = [];
    for (const partition of this.#ready) {
      for (;;) {
        const batch = partition.queue.next(nowMs);
        if (batch === undefined) break;
        acks ??= batch.plan.acks;
        const isFull = bytes > 0 && bytes + batch.byteLength > limits.rpcMessageBytesTarget;
        if (batch.plan.acks !== acks || isFull) break;
        const part = this.#take(partition, batch);
        bytes += part.length;
        leftMs = Math.min(leftMs, batch.plan.deadlineMs - nowMs);
        parts.push(part);
        sent.push({ partition, batch, attempt: batch.attempts });
        writes.push(writeOf(partition, batch, part.length));
      }
      if (bytes >= limits.rpcMessageBytesTarget) break;
    }
    if (acks === undefined) return;
    const timeoutMs = Math.max(1, Math.ceil(leftMs));
    const requestId = acks === 'none' ? unanswered : this.#requests.add({ batches: sent, bytes });
    this.#lastSentMs = nowMs;
    this.#hasRoom = stream.send({ requestId, acks, timeoutMs, partitions: writes, batches: parts });
    if (acks === 'none') for (const { partition, batch } of sent) partition.left(batch);
    this.#takeTurns(sent);
  }

  /** Partitions that were served go to the end of the circle. */
  #takeTurns(sent: readonly SentBatch[]): void {
    for (const { partition } of sent) {
      if (!this.#ready.delete(partition)) continue;
      this.#ready.add(partition);
    }
  }

  #take(partition: PartitionProducer, batch: WaitedBatch): Buffer {
    if (batch.state === 'open') partition.filled(batch.byteLength);
    const part = partition.queue.send(batch, this.#options.codec());
    // Before the next partition is chosen for records without a key.
    if (batch.plan.acks !== 'none') {
      this.#bytesInFlight += part.length;
      this.#batchesInFlight++;
    }
    partition.sealed(batch);
    return part;
  }

  #stream(): RpcStream<ProduceRequest> | undefined {
    if (this.#open !== undefined) return this.#open.stream;
    const { channels } = this.#options;
    const channel = channels.to(this.address, 'produce');
    const open = {
      channel,
      stream: channel.stream(
        produceService.produceStream,
        {
          onMessage: (response) => this.#onResponse(response),
          onDrain: () => {
            this.#hasRoom = true;
            this.pump();
          },
          onClose: (error) => this.#onClose(channel, error),
        },
        { headers: channels.headers },
      ),
    };
    this.#hasRoom = true;
    this.#open = open;
    return open.stream;
  }

  #onResponse(response: ProduceResponse): void {
    this.#lastHeardMs = this.#options.clock.now();
    const request = this.#requests.take(response.requestId);
    if (request === undefined) return;
    this.#bytesInFlight -= request.bytes;
    this.#batchesInFlight -= request.batches.length;
    request.batches.forEach(({ partition, batch, attempt }, index) => {
      const outcome = response.partitions[index]?.outcome;
      if (outcome?.kind === 'receipt') {
        partition.written(batch, attempt, outcome.value);
        return;
      }
      const error =
        outcome === undefined
          ? new HighwaterError('INTERNAL', 'the answer does not name this partition')
          : errorOfFailure(outcome.value);
      partition.refused(batch, attempt, error);
      if (error.retriable) this.#options.suspect();
    });
    this.pump();
    if (this.#requests.size === 0) this.#options.idle();
  }

  async #probe(channel: RpcChannel): Promise<void> {
    this.#isProbing = true;
    const { channels, clock, silenceMs } = this.#options;
    const isAlive = await answers(channel, channels.headers, silenceMs / 2);
    this.#isProbing = false;
    if (isAlive) this.#lastHeardMs = clock.now();
    else this.#onClose(channel, new HighwaterError('CONNECTION_LOST', 'it does not answer'));
  }

  /** The stream is over: everything on it failed, each as far as is known. */
  #onClose(channel: RpcChannel, reason: HighwaterError | undefined): void {
    if (this.#open?.channel !== channel) return;
    this.#open = undefined;
    this.#options.channels.drop(channel);
    this.#options.suspect();
    const error = lostWith(reason, this.address);
    const requests = this.#requests.values();
    this.#requests.clear();
    this.#bytesInFlight = 0;
    this.#batchesInFlight = 0;
    for (const { batches } of requests) {
      for (const { partition, batch, attempt } of batches) partition.refused(batch, attempt, error);
    }
    this.#options.idle();
  }
}
