/**
 * Clients of the own cluster, for what the dashboard shows and this node does not hold: records that
 * another broker leads, groups that another one coordinates. Each reader's token gets a client of its
 * own, so the brokers decide what it may see. Opened when asked for, closed when not asked for.
 */
import { readFileSync } from 'node:fs';
import { type Client, openClient } from '../../../client/client.ts';
import { HighwaterError } from '../../../proto/model/errors.ts';
import type { NodeSettings } from '../../../proto/model/node-settings.ts';
import type { Clock, Timer } from '../../../proto/ports/clock.ts';
import type { Random } from '../../../proto/ports/random.ts';
import { type ClientTls, GrpcConnector } from '../../../proto/rpc/grpc/connector.ts';

export interface OwnClientsOptions {
  readonly settings: NodeSettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly brokers: () => readonly string[];
}

interface Kept {
  readonly client: Promise<Client>;
  idle: Timer;
}

const clientsMax = 8;
const idleMs = 60_000;
const connectTimeoutMs = 3_000;

export class OwnClients {
  readonly #options: OwnClientsOptions;
  readonly #kept = new Map<string, Kept>();

  constructor(options: OwnClientsOptions) {
    this.#options = options;
  }

  /** The client of a token, connected. */
  async of(token: string | undefined): Promise<Client> {
    const key = token ?? '';
    let kept = this.#kept.get(key);
    if (kept === undefined) {
      if (this.#kept.size >= clientsMax)
        throw new HighwaterError('OVERLOADED', 'too many readers look at this dashboard');
      kept = { client: this.#open(token), idle: this.#restLater(key) };
      this.#kept.set(key, kept);
    } else {
      kept.idle.cancel();
      kept.idle = this.#restLater(key);
    }
    try {
      return await kept.client;
    } catch (caught) {
      this.#kept.delete(key);
      throw caught;
    }
  }

  async close(): Promise<void> {
    const all = [...this.#kept.values()];
    this.#kept.clear();
    for (const { idle } of all) idle.cancel();
    await Promise.all(
      all.map(({ client }) =>
        client.then(
          (opened) => opened.close(),
          () => undefined,
        ),
      ),
    );
  }

  #open(token: string | undefined): Promise<Client> {
    const { settings, clock, random, brokers } = this.#options;
    const tls = tlsOf(settings);
    const connector = new GrpcConnector({
      clock,
      ...(tls === undefined ? {} : { tls: () => tls }),
    });
    return openClient(
      { clock, random, connector },
      {
        brokers: brokers(),
        clientId: 'dashboard',
        connectTimeoutMs,
        ...(token === undefined ? {} : { token }),
      },
    );
  }

  #restLater(key: string): Timer {
    return this.#options.clock.after(idleMs, () => {
      const kept = this.#kept.get(key);
      this.#kept.delete(key);
      void kept?.client.then(
        (client) => client.close(),
        () => undefined,
      );
    });
  }
}

/** The node's own certificate, where its cluster speaks TLS. */
function tlsOf(settings: NodeSettings): ClientTls | undefined {
  const path = (name: string): string => settings.get(name) ?? '';
  if (path('tls-cert') === '') return undefined;
  return {
    certificate: readFileSync(path('tls-cert')),
    key: readFileSync(path('tls-key')),
    ...(path('tls-ca') === '' ? {} : { authority: readFileSync(path('tls-ca')) }),
  };
}
