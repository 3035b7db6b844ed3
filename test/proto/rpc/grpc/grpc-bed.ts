import type { Clock } from '../../../../proto/ports/clock.ts';
import type { RpcChannel } from '../../../../proto/ports/rpc.ts';
import { GrpcConnector } from '../../../../proto/rpc/grpc/connector.ts';
import { GrpcServer, type GrpcServerOptions } from '../../../../proto/rpc/grpc/server.ts';
import type { RpcBed } from '../rpc-bed.ts';
import { Relay } from './relay.ts';

/** Real time, for tests of what runs on real sockets. */
export const realClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(ms, callback) {
    if (ms > 0x7fffffff) return { cancel() {} };
    const timer = setTimeout(callback, ms);
    return { cancel: () => clearTimeout(timer) };
  },
  soon: (callback) => {
    setImmediate(callback);
  },
};

/** A gRPC server and a client of it, with a relay between them that can cut connections. */
export class GrpcBed implements RpcBed {
  readonly server: GrpcServer;
  readonly connector = new GrpcConnector({ clock: realClock });
  readonly #channels: RpcChannel[] = [];
  readonly #relay = new Relay();
  /** Port of the server itself, once it is started. */
  port = 0;

  constructor(options: Partial<GrpcServerOptions> = {}) {
    this.server = new GrpcServer({ clock: realClock, ...options });
  }

  async start(): Promise<RpcChannel> {
    this.port = await this.server.listen('127.0.0.1', 0);
    const relayed = await this.#relay.listen(this.port);
    return this.channel(relayed);
  }

  channel(port: number = this.port): RpcChannel {
    const channel = this.connector.connect(`127.0.0.1:${port}`, 'test');
    this.#channels.push(channel);
    return channel;
  }

  nowhere(): RpcChannel {
    return this.connector.connect('127.0.0.1:1', 'test');
  }

  breakConnections(): void {
    this.#relay.cut();
  }

  later(callback: () => void): void {
    setImmediate(callback);
  }

  settled<Value>(promise: Promise<Value>): Promise<Value> {
    return promise;
  }

  async close(): Promise<void> {
    await Promise.all(this.#channels.map((channel) => channel.close()));
    await this.server.stop(0);
    await this.#relay.close();
  }
}
