/**
 * The channels of one client: one for each address and purpose, opened when first used. Bulk in
 * opposite directions never shares a connection, since that can dead-lock HTTP/2 windows.
 *
 * A channel in doubt is dropped whole: a TCP connection that hangs says nothing by itself, so whoever
 * waited in vain takes a fresh one instead of waiting longer on the old one.
 */
import { HighwaterError } from '../../proto/model/errors.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import type { Random } from '../../proto/ports/random.ts';
import type {
  CallOptions,
  RpcChannel,
  RpcConnector,
  RpcHeaders,
  UnaryMethod,
} from '../../proto/ports/rpc.ts';
import { answers, probeMs } from './probe.ts';

/** What a client needs of the machine; a simulation gives its own. */
export interface ClientMachine {
  readonly clock: Clock;
  readonly random: Random;
  readonly connector: RpcConnector;
}

/** `control` for questions and changes, `produce` for bulk to a broker, `fetch` for bulk from it. */
export type ChannelPurpose = 'control' | 'produce' | 'fetch';

export class BrokerChannels {
  /** Sent with every call: the bearer token, the client's name. */
  readonly headers: RpcHeaders;
  readonly #connector: RpcConnector;
  readonly #channels = new Map<string, RpcChannel>();
  readonly #own = new Set<RpcChannel>();
  readonly #closing = new Set<Promise<void>>();
  /** Those that are asked at present whether anybody is there. */
  readonly #inDoubt = new Set<RpcChannel>();
  #isClosed = false;

  constructor(connector: RpcConnector, headers: RpcHeaders) {
    this.#connector = connector;
    this.headers = headers;
  }

  /** Throws CLOSED once the client is closed. */
  checkOpen(): void {
    if (this.#isClosed)
      throw new HighwaterError('CLOSED', 'the client is closed', { outcome: 'not-written' });
  }

  /** The channel to an address. Throws CLOSED once the client is closed. */
  to(address: string, purpose: ChannelPurpose): RpcChannel {
    this.checkOpen();
    const key = `${purpose} ${address}`;
    let channel = this.#channels.get(key);
    if (channel === undefined) {
      channel = this.#connector.connect(address, purpose);
      this.#channels.set(key, channel);
    }
    return channel;
  }

  /**
   * A call on the shared channel. If the channel is dropped under it, by somebody who found it dead,
   * that is a lost connection to this caller. Without an answer in time the channel is in doubt: it may
   * be one whose handshake met a machine without power, and such a channel answers nobody any more.
   */
  async ask<Request, Response>(
    address: string,
    method: UnaryMethod<Request, Response>,
    request: Request,
    options: Omit<CallOptions, 'headers'>,
  ): Promise<Response> {
    const channel = this.to(address, 'control');
    try {
      return await channel.unary(method, request, { ...options, headers: this.headers });
    } catch (caught) {
      const error = HighwaterError.from(caught);
      if (error.code === 'DEADLINE_EXCEEDED') void this.#doubt(channel);
      if (error.code !== 'CLOSED' || this.#isClosed) throw error;
      throw new HighwaterError('CONNECTION_LOST', `${address} was given up`, {
        cause: error,
        outcome: error.outcome,
      });
    }
  }

  /** A channel of its own, for a flow that must not share one; closed by `drop`. */
  open(address: string, purpose: ChannelPurpose): RpcChannel {
    const channel = this.#connector.connect(address, purpose);
    this.#own.add(channel);
    return channel;
  }

  /** Closes a channel that is in doubt; the next use of the address opens another. */
  drop(channel: RpcChannel): void {
    this.#own.delete(channel);
    for (const [key, known] of this.#channels) {
      if (known === channel) this.#channels.delete(key);
    }
    this.#close(channel);
  }

  /** Ends every call with CLOSED. Always returns. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const channel of [...this.#channels.values(), ...this.#own]) this.#close(channel);
    this.#own.clear();
    this.#channels.clear();
    await Promise.all(this.#closing);
  }

  /** A broker that is only slow with one call keeps its channel, and the other calls on it. */
  async #doubt(channel: RpcChannel): Promise<void> {
    if (this.#inDoubt.has(channel)) return;
    this.#inDoubt.add(channel);
    const isAlive = await answers(channel, this.headers, probeMs);
    this.#inDoubt.delete(channel);
    if (!isAlive) this.drop(channel);
  }

  #close(channel: RpcChannel): void {
    const closing = channel.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}
