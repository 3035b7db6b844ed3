/**
 * Follows the pushed metadata of the cluster through one broker at a time.
 *
 * The stream is resumed by revision and moves to another broker when it breaks, when the broker says
 * that it is stale, and when the broker does not answer: a client that is in trouble asks again on the
 * stream (`suspect`), and an answer is due within `answerMs`. While nobody is in trouble nothing is
 * sent. Invariant: the view never goes back, whichever broker it comes from (rule B6.9).
 */
import {
  type MetadataUpdate,
  metadataService,
  type WatchMetadataRequest,
} from '../../proto/generated/highwater/v1/metadata.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import type { Timer } from '../../proto/ports/clock.ts';
import type { RpcChannel, RpcStream } from '../../proto/ports/rpc.ts';
import { drawBackoff } from '../connection/backoff.ts';
import type { BrokerChannels, ClientMachine } from '../connection/broker-channels.ts';
import { ended } from '../connection/waiting.ts';
import { BrokerRotation } from './broker-rotation.ts';
import { applyUpdate, type ClusterView, emptyView } from './cluster-view.ts';

/** An answer on the stream is due within this. */
const answerMs = 1_000;
/** A broker that says that it is stale is left, but not more often than this: all may be. */
const staleMoveMs = 1_000;
const backoff = { minMs: 20, maxMs: 1_000 };

export interface MetadataWatchOptions {
  readonly machine: ClientMachine;
  readonly channels: BrokerChannels;
  /** Addresses to begin with. */
  readonly brokers: readonly string[];
}

interface OpenStream {
  readonly address: string;
  readonly channel: RpcChannel;
  stream: RpcStream<WatchMetadataRequest> | undefined;
}

export class MetadataWatch {
  readonly #options: MetadataWatchOptions;
  readonly #rotation: BrokerRotation;
  readonly #listeners = new Set<() => void>();
  #view: ClusterView = emptyView;
  #open: OpenStream | undefined;
  #answerTimer: Timer | undefined;
  #retryTimer: Timer | undefined;
  #failures = 0;
  #movedForStaleMs = Number.NEGATIVE_INFINITY;
  #lastError: HighwaterError | undefined;
  #isClosed = false;

  constructor(options: MetadataWatchOptions) {
    this.#options = options;
    const { random } = options.machine;
    this.#rotation = new BrokerRotation(
      options.brokers,
      random.below(Math.max(1, options.brokers.length)),
    );
    this.#connect();
  }

  /** The latest that is known. */
  get view(): ClusterView {
    return this.#view;
  }

  /** Why the last attempt to follow a broker failed. */
  get lastError(): HighwaterError | undefined {
    return this.#lastError;
  }

  /** The address that is followed at present: a broker that answered lately. */
  get address(): string | undefined {
    return this.#open?.address;
  }

  /** Where to go after a broker failed, for calls that any broker can answer. */
  otherThan(address: string): string {
    return this.#rotation.after(address);
  }

  /** Calls back after each update. Returns how to stop that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Waits until the predicate holds for the view; false if the deadline came first. */
  reached(
    predicate: (view: ClusterView) => boolean,
    deadlineMs: number,
    signal?: AbortSignal,
  ): Promise<boolean> {
    if (predicate(this.#view)) return Promise.resolve(true);
    const { clock } = this.#options.machine;
    return ended({ clock, deadlineMs, signal }, (end) =>
      this.onChange(() => {
        if (predicate(this.#view) || this.#isClosed) end();
      }),
    ).then((isEnded) => isEnded && predicate(this.#view));
  }

  /** Something did not fit what the view says: makes sure that the followed broker is alive. */
  suspect(): void {
    if (this.#open?.stream === undefined || this.#answerTimer !== undefined) return;
    this.#ask(this.#open);
  }

  /** Follows nobody any more. */
  close(): void {
    this.#isClosed = true;
    this.#answerTimer?.cancel();
    this.#retryTimer?.cancel();
    this.#open?.stream?.cancel();
    this.#open = undefined;
    for (const listener of [...this.#listeners]) listener();
    this.#listeners.clear();
  }

  #connect(): void {
    if (this.#isClosed) return;
    const address = this.#rotation.next();
    const channel = this.#options.channels.to(address, 'control');
    const open: OpenStream = { address, channel, stream: undefined };
    this.#open = open;
    open.stream = channel.stream(
      metadataService.watchMetadata,
      {
        onMessage: (update) => this.#onUpdate(open, update),
        onClose: (error) => this.#onClose(open, error),
      },
      { headers: this.#options.channels.headers },
    );
    this.#ask(open);
  }

  /** Asks on the stream; without an answer the broker is left. */
  #ask(open: OpenStream): void {
    open.stream?.send({ revision: this.#view.revision, topics: [] });
    this.#answerTimer?.cancel();
    this.#answerTimer = this.#options.machine.clock.after(answerMs, () => {
      this.#answerTimer = undefined;
      this.#leave(open, new HighwaterError('CONNECTION_LOST', `${open.address} does not answer`));
    });
  }

  #onUpdate(open: OpenStream, update: MetadataUpdate): void {
    if (this.#open !== open) return;
    this.#answerTimer?.cancel();
    this.#answerTimer = undefined;
    const known = this.#view.clusterId;
    if (known !== '' && update.clusterId !== '' && update.clusterId !== known) {
      this.#leave(
        open,
        new HighwaterError(
          'CLUSTER_MISMATCH',
          `${open.address} belongs to cluster ${update.clusterId}`,
          { facts: { expected: known, found: update.clusterId } },
        ),
      );
      return;
    }
    this.#failures = 0;
    const before = this.#view;
    this.#view = applyUpdate(before, update);
    if (this.#view.brokers !== before.brokers) this.#rotation.learn(this.#view.brokers.values());
    if (this.#view !== before) for (const listener of [...this.#listeners]) listener();
    if (update.stale) this.#leaveStale(open);
  }

  #leaveStale(open: OpenStream): void {
    const now = this.#options.machine.clock.now();
    if (now - this.#movedForStaleMs < staleMoveMs || this.#open !== open) return;
    this.#movedForStaleMs = now;
    this.#open = undefined;
    open.stream?.cancel();
    this.#connect();
  }

  #leave(open: OpenStream, error: HighwaterError): void {
    if (this.#open !== open) return;
    this.#options.channels.drop(open.channel);
    this.#onClose(open, error);
  }

  #onClose(open: OpenStream, error: HighwaterError | undefined): void {
    if (this.#open !== open || this.#isClosed) return;
    this.#open = undefined;
    this.#answerTimer?.cancel();
    this.#answerTimer = undefined;
    this.#lastError = error;
    this.#failures++;
    // Every broker is tried once before any pause: the first that lives answers at once.
    const rounds = Math.floor(this.#failures / this.#rotation.size);
    const { clock, random } = this.#options.machine;
    const waitMs = rounds === 0 ? 0 : drawBackoff(random, rounds, backoff);
    this.#retryTimer = clock.after(waitMs, () => this.#connect());
  }
}
