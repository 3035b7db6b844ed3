import { VirtualTime } from '../../../../proto/ports/memory/virtual-time.ts';
import type { RpcChannel, RpcServer } from '../../../../proto/ports/rpc.ts';
import { MemoryRpcNetwork } from '../../../../proto/rpc/memory/memory-rpc-network.ts';
import type { RpcBed } from '../rpc-bed.ts';

/** Host `c` with the client and host `s` with the server, on one virtual time. */
export class MemoryBed implements RpcBed {
  readonly time = new VirtualTime();
  readonly network = new MemoryRpcNetwork();
  readonly clientClock = this.time.clockFor('c');
  readonly serverClock = this.time.clockFor('s');
  readonly client = this.network.host('c', this.clientClock);
  readonly server: RpcServer = this.network.host('s', this.serverClock).createServer();
  readonly #channels: RpcChannel[] = [];

  async start(): Promise<RpcChannel> {
    const port = await this.server.listen('0.0.0.0', 0);
    const channel = this.client.connector.connect(`s:${port}`, 'test');
    this.#channels.push(channel);
    return channel;
  }

  nowhere(): RpcChannel {
    return this.client.connector.connect('s:1', 'test');
  }

  breakConnections(): void {
    this.network.disconnect('c', 's');
  }

  later(callback: () => void): void {
    this.clientClock.after(1, callback);
  }

  settled<Value>(promise: Promise<Value>): Promise<Value> {
    return this.time.complete(promise, 60_000);
  }

  async close(): Promise<void> {
    await this.settled(Promise.all(this.#channels.map((channel) => channel.close())));
    // A crashed process is not stopped: nothing of it runs.
    if (!this.serverClock.isStopped) await this.settled(this.server.stop(0));
  }
}
