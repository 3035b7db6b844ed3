/** A reader's stream from one broker: partitions start on it, credit flows one way and batches the other. */
import {
  type FetchResponse,
  type FetchStreamRequest,
  fetchService,
  type PartitionRead,
  type PartitionStop,
  type ReadLevel,
} from '../../proto/generated/highwater/v1/fetch.ts';
import type { HighwaterError } from '../../proto/model/errors.ts';
import type { NodeId } from '../../proto/model/ids.ts';
import { limits } from '../../proto/model/limits.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import type { RpcChannel, RpcStream } from '../../proto/ports/rpc.ts';
import type { BrokerChannels } from '../connection/broker-channels.ts';
import { answers, probeMs } from '../connection/probe.ts';
import type { CreditLine } from './core/credit.ts';

export interface FetchConnectionOptions {
  readonly nodeId: NodeId;
  readonly address: string;
  readonly channels: BrokerChannels;
  readonly clock: Clock;
  readonly level: ReadLevel;
  readonly onMessage: (connection: FetchConnection, message: FetchResponse) => void;
  readonly onClose: (connection: FetchConnection, error: HighwaterError | undefined) => void;
}

/** A broker that is silent for so long is asked whether it lives. */
const silenceMs = 5_000;

export class FetchConnection implements CreditLine {
  readonly nodeId: NodeId;
  readonly address: string;
  credit = 0;
  readonly #options: FetchConnectionOptions;
  readonly #channel: RpcChannel;
  readonly #stream: RpcStream<FetchStreamRequest>;
  #start: PartitionRead[] = [];
  #stop: PartitionStop[] = [];
  #grant = 0;
  #isScheduled = false;
  #isProbing = false;
  #isOpen = true;
  #heardMs: number;

  constructor(options: FetchConnectionOptions) {
    this.#options = options;
    this.nodeId = options.nodeId;
    this.address = options.address;
    this.#heardMs = options.clock.now();
    // Another reader's flow must not stand behind this one's, so each has a connection of its own.
    this.#channel = options.channels.open(options.address, 'fetch');
    this.#stream = this.#channel.stream(
      fetchService.fetchStream,
      {
        onMessage: (message) => {
          this.#heardMs = options.clock.now();
          this.credit -= message.batches[0]?.length ?? 0;
          if (this.#isOpen) options.onMessage(this, message);
        },
        onClose: (error) => this.#closed(error),
      },
      { headers: options.channels.headers },
    );
  }

  start(read: PartitionRead): void {
    this.#start.push(read);
    this.#schedule();
  }

  stop(partition: PartitionStop): void {
    this.#stop.push(partition);
    this.#schedule();
  }

  grant(bytes: number): void {
    this.credit += bytes;
    this.#grant += bytes;
    this.#schedule();
  }

  /** Called from time to time. */
  checkSilence(nowMs: number): void {
    if (nowMs - this.#heardMs >= silenceMs && !this.#isProbing && this.#isOpen) void this.#probe();
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#options.channels.drop(this.#channel);
  }

  /** What one turn asks for leaves as one message. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#options.clock.soon(() => {
      this.#isScheduled = false;
      if (!this.#isOpen) return;
      this.#stream.send({
        start: this.#start,
        stop: this.#stop,
        creditBytes: this.#grant,
        level: this.#options.level,
        maxMessageBytes: limits.rpcMessageBytesMax,
      });
      this.#start = [];
      this.#stop = [];
      this.#grant = 0;
    });
  }

  async #probe(): Promise<void> {
    this.#isProbing = true;
    const isAlive = await answers(this.#channel, this.#options.channels.headers, probeMs);
    this.#isProbing = false;
    if (isAlive) this.#heardMs = this.#options.clock.now();
    else this.#closed(undefined);
  }

  #closed(error: HighwaterError | undefined): void {
    if (!this.#isOpen) return;
    this.close();
    this.#options.onClose(this, error);
  }
}
