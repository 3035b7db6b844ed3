/**
 * Remote calls over virtual time: the in-memory twin of gRPC. Messages are encoded and decoded for
 * real; streams, deadlines and bounds are the very code that runs over gRPC (proto/rpc/call).
 *
 * Hosts are names, an address is `host:port`. A direction between two hosts can be held (packets wait,
 * probes find out after a while), connections can be broken (both ends learn it) and a host can crash
 * (a killed process resets its connections, a machine without power does not).
 */
import { HighwaterError } from '../../model/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import { type Logger, silentLogger } from '../../ports/logger.ts';
import type { RpcConnector, RpcServer } from '../../ports/rpc.ts';
import type { AcceptCall } from '../call/transport.ts';
import { ConnectionEnd } from './connection-end.ts';
import { MemoryConnector } from './memory-connector.ts';
import { MemoryServer } from './memory-server.ts';

export interface MemoryRpcNetworkOptions {
  /** Milliseconds of one packet from a host to another. */
  readonly latencyMs?: (from: string, to: string) => number;
}

/** What a process on a host uses. After a crash ask for it again with the clock of the new process. */
export interface MemoryRpcHost {
  readonly connector: RpcConnector;
  createServer(): RpcServer;
}

/** A server that listens. */
export interface MemoryListener {
  readonly host: string;
  readonly clock: Clock;
  readonly accept: AcceptCall;
}

/** Both ends of a connection, each on its host. */
export interface MemoryConnection {
  readonly client: ConnectionEnd;
  readonly server: ConnectionEnd;
  readonly accept: AcceptCall;
}

const firstPort = 20_000;

export class MemoryRpcNetwork {
  readonly #latencyMs: (from: string, to: string) => number;
  readonly #listeners = new Map<string, MemoryListener>();
  readonly #connections = new Set<MemoryConnection>();
  readonly #held = new Set<string>();
  #nextPort = firstPort;

  constructor(options: MemoryRpcNetworkOptions = {}) {
    this.#latencyMs = options.latencyMs ?? (() => 0.1);
  }

  host(name: string, clock: Clock, logger: Logger = silentLogger): MemoryRpcHost {
    return {
      connector: new MemoryConnector(this, { host: name, clock, logger }),
      createServer: () => new MemoryServer(this, { host: name, clock, logger }),
    };
  }

  /** Packets from one host to the other wait until `release`. The other direction goes on. */
  hold(from: string, to: string): void {
    this.#held.add(`${from}>${to}`);
  }

  release(from: string, to: string): void {
    this.#held.delete(`${from}>${to}`);
    for (const { client, server } of this.#connections) {
      if (client.host === from && server.host === to) client.release();
      if (server.host === from && client.host === to) server.release();
    }
  }

  /** Breaks every connection between two hosts; both ends learn it at once. */
  disconnect(one: string, other: string): void {
    for (const connection of this.#between(one, other)) {
      connection.client.lose();
      connection.server.lose();
    }
  }

  /**
   * The processes on a host are gone. With `isHeard` their connections are reset, as the kernel of a
   * killed process does; without, nobody is told, as after a loss of power.
   */
  crash(host: string, isHeard: boolean): void {
    for (const [address, listener] of this.#listeners) {
      if (listener.host === host) this.#listeners.delete(address);
    }
    for (const { client, server } of [...this.#connections]) {
      for (const end of [client, server]) if (end.host === host) end.die(isHeard);
    }
  }

  /** Called by servers. Port 0 takes a free one. */
  listen(port: number, listener: MemoryListener): number {
    const bound = port === 0 ? this.#nextPort++ : port;
    const address = `${listener.host}:${bound}`;
    if (this.#listeners.has(address)) {
      throw new HighwaterError('INVALID_CONFIG', `cannot listen on ${address}: it is in use`);
    }
    this.#listeners.set(address, listener);
    return bound;
  }

  /** Called by servers that stop. */
  unlisten(listener: MemoryListener): void {
    for (const [address, one] of this.#listeners) {
      if (one === listener) this.#listeners.delete(address);
    }
  }

  /** Called by servers that stop: ends what is still connected to them. */
  closeConnectionsOf(listener: MemoryListener): void {
    for (const connection of [...this.#connections]) {
      if (connection.accept === listener.accept) connection.server.close();
    }
  }

  /**
   * Called by channels. The result comes after the packets of a handshake: a connection, or undefined
   * if nobody listens there.
   */
  connect(
    from: { readonly host: string; readonly clock: Clock },
    address: string,
    onResult: (connection: MemoryConnection | undefined) => void,
  ): void {
    const host = address.slice(0, address.lastIndexOf(':'));
    const listenerClock = this.#listeners.get(address)?.clock ?? from.clock;
    const there = this.#end(from.host, from.clock, { host, clock: listenerClock });
    const back = this.#end(host, listenerClock, from);
    ConnectionEnd.join(there, back);
    const entry = { client: there, server: back };
    const handshake = { ...entry, accept: unaccepted };
    this.#connections.add(handshake);
    there.send(() => {
      const listener = this.#listeners.get(address);
      back.send(() => {
        this.#connections.delete(handshake);
        if (listener === undefined) {
          there.lose();
          onResult(undefined);
          return;
        }
        const connection = { ...entry, accept: listener.accept };
        this.#connections.add(connection);
        onResult(connection);
      });
    });
  }

  #end(host: string, clock: Clock, to: { readonly host: string; readonly clock: Clock }) {
    const direction = `${host}>${to.host}`;
    return new ConnectionEnd(
      host,
      clock,
      {
        latencyMs: () => this.#latencyMs(host, to.host),
        isHeld: () => this.#held.has(direction),
        receiverClock: to.clock,
      },
      () => this.#forgetClosed(),
    );
  }

  #forgetClosed(): void {
    for (const connection of this.#connections) {
      if (!connection.client.isOpen && !connection.server.isOpen) {
        this.#connections.delete(connection);
      }
    }
  }

  #between(one: string, other: string): MemoryConnection[] {
    return [...this.#connections].filter(
      ({ client, server }) =>
        (client.host === one && server.host === other) ||
        (client.host === other && server.host === one),
    );
  }
}

const unaccepted: AcceptCall = () => ({ onMessage() {}, onHalfClose() {}, onGone() {} });
