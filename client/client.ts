/** One client of one cluster: its connections, its view of the metadata, and what it opened. */
import { HighwaterError } from '../proto/model/errors.ts';
import type { RpcHeaders } from '../proto/ports/rpc.ts';
import { type Admin, createAdmin } from './admin/admin.ts';
import { AdminCalls } from './admin/admin-calls.ts';
import { GroupAdmin } from './admin/group-admin.ts';
import type { ClientParts } from './client-parts.ts';
import { BrokerChannels, type ClientMachine } from './connection/broker-channels.ts';
import { cancelledBefore } from './connection/waiting.ts';
import { Consumer } from './consumer/consumer.ts';
import type { ConsumerOptions } from './consumer/consumer-options.ts';
import { MetadataWatch } from './metadata/metadata-watch.ts';
import { Producer } from './producer/producer.ts';
import type { ProducerOptions } from './producer/producer-options.ts';
import { OffsetQuestions } from './reader/offset-questions.ts';
import { Reader } from './reader/reader.ts';
import type { ReaderOptions } from './reader/reader-options.ts';
import { Session } from './session/session.ts';

/** How to reach a cluster. */
export interface ClientOptions {
  /** Some of its brokers, `host:port`; the others are learned. */
  readonly brokers: readonly string[];
  /** Bearer token. */
  readonly token?: string;
  /** A name for logs and lists of the cluster. */
  readonly clientId?: string;
  /** How long to look for a broker that answers; 10 s by default. */
  readonly connectTimeoutMs?: number;
  readonly signal?: AbortSignal;
}

const connectTimeoutMsDefault = 10_000;

export class Client implements AsyncDisposable {
  /** Topics, brokers, leaders, replicas, voters, features, events. */
  readonly admin: Admin;
  /** Consumer groups: members, lag, reset, delete. */
  readonly groups: GroupAdmin;
  readonly #parts: ClientParts;
  /** Producers and readers that are open: they are closed with the client. */
  readonly #opened = new Set<{ close(): Promise<void> }>();
  #closing: Promise<void> | undefined;

  constructor(machine: ClientMachine, options: ClientOptions) {
    const channels = new BrokerChannels(machine.connector, headersOf(options));
    const metadata = new MetadataWatch({ machine, channels, brokers: options.brokers });
    const calls = new AdminCalls(machine, channels, metadata);
    const offsets = new OffsetQuestions(channels, machine.clock);
    this.#parts = { machine, channels, metadata, calls, offsets, session: new Session() };
    this.groups = new GroupAdmin(this.#parts);
    this.admin = createAdmin(this.#parts);
  }

  /** Resolves once a broker has told what the cluster looks like. */
  async connected(options: ClientOptions): Promise<void> {
    const { machine, metadata } = this.#parts;
    const deadlineMs = machine.clock.now() + (options.connectTimeoutMs ?? connectTimeoutMsDefault);
    const { signal } = options;
    const isConnected = await metadata.reached((view) => view.brokers.size > 0, deadlineMs, signal);
    if (isConnected) return;
    const cause = metadata.lastError;
    throw new HighwaterError(
      cause?.retriable === false ? cause.code : 'CONNECTION_LOST',
      `none of ${options.brokers.join(', ')} answered${cause === undefined ? '' : `: ${cause.message}`}`,
      { cause, outcome: 'not-written' },
    );
  }

  /** A producer; it shares the client's connections. */
  producer(options: ProducerOptions = {}): Producer {
    this.#checkOpen();
    return this.#keep((onClosed) => new Producer(this.#parts, options, onClosed));
  }

  /** A member of a group, which it joins at once. */
  consumer(options: ConsumerOptions): Consumer {
    this.#checkOpen();
    return this.#keep((onClosed) => new Consumer(this.#parts, options, onClosed));
  }

  /** A reader without a group. */
  reader(options: ReaderOptions): Reader {
    this.#checkOpen();
    return this.#keep((onClosed) => new Reader(this.#parts, options, onClosed));
  }

  /**
   * What this client has written and seen. With a token: a session that goes on where the token was
   * taken, to be given to producers and readers.
   */
  session(token?: string): Session {
    return token === undefined ? this.#parts.session : new Session(token);
  }

  /** Closes everything that was opened here. Always returns. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    await Promise.all(Array.from(this.#opened, (one) => one.close()));
    this.#parts.metadata.close();
    await this.#parts.channels.close();
  }

  #keep<Opened extends { close(): Promise<void> }>(open: (onClosed: () => void) => Opened): Opened {
    const opened: Opened = open(() => this.#opened.delete(opened));
    this.#opened.add(opened);
    return opened;
  }

  #checkOpen(): void {
    if (this.#closing !== undefined)
      throw new HighwaterError('CLOSED', 'the client is closed', { outcome: 'not-written' });
  }
}

/** A client that has met its cluster. The machine is given, so that it may be a simulated one. */
export async function openClient(machine: ClientMachine, options: ClientOptions): Promise<Client> {
  const brokers: unknown = options.brokers;
  if (!Array.isArray(brokers) || brokers.length === 0)
    throw new HighwaterError('INVALID_CONFIG', 'brokers: expected a list of host:port');
  const wrong = options.brokers.find((address) => !/^.+:\d{1,5}$/.test(address));
  if (wrong !== undefined)
    throw new HighwaterError(
      'INVALID_CONFIG',
      `brokers: ${JSON.stringify(wrong)} is not accepted; expected host:port`,
    );
  if (options.signal?.aborted === true) throw cancelledBefore(options.signal);
  const client = new Client(machine, options);
  try {
    await client.connected(options);
    return client;
  } catch (caught) {
    await client.close();
    throw caught;
  }
}

function headersOf(options: ClientOptions): RpcHeaders {
  const { token, clientId } = options;
  return {
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(clientId === undefined ? {} : { 'highwater-client': clientId }),
  };
}
