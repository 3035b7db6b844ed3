import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { RpcBytes, RpcChannel, RpcConnector } from '../../ports/rpc.ts';
import { CallChannel } from '../call/call-channel.ts';
import type { ClientTransport, ClientTransportListener, OutgoingCall } from '../call/transport.ts';
import type { RpcStatus } from '../status.ts';
import { MemoryClientCall } from './memory-call.ts';
import type { MemoryConnection, MemoryRpcNetwork } from './memory-rpc-network.ts';

/** Who uses the network. */
export interface MemoryProcess {
  readonly host: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Opens channels in memory. Every channel has a connection of its own. */
export class MemoryConnector implements RpcConnector {
  readonly #network: MemoryRpcNetwork;
  readonly #process: MemoryProcess;

  constructor(network: MemoryRpcNetwork, process: MemoryProcess) {
    this.#network = network;
    this.#process = process;
  }

  connect(address: string, purpose: string): RpcChannel {
    const { clock, logger } = this.#process;
    const dialler = new Dialler(this.#network, this.#process, address);
    return new CallChannel({
      address,
      clock,
      defects: { logger: logger.with({ address, purpose }) },
      open: (call, listener) => new DialledCall(dialler, call, listener),
      closeConnection: () => {
        dialler.close();
        return Promise.resolve();
      },
    });
  }
}

type OnConnection = (connection: MemoryConnection | undefined) => void;

/** Keeps one connection to an address; dials again when it is asked after a loss. */
class Dialler {
  readonly #network: MemoryRpcNetwork;
  readonly #process: MemoryProcess;
  readonly #address: string;
  #connection: MemoryConnection | undefined;
  #waiting: OnConnection[] = [];

  constructor(network: MemoryRpcNetwork, process: MemoryProcess, address: string) {
    this.#network = network;
    this.#process = process;
    this.#address = address;
  }

  get clock(): Clock {
    return this.#process.clock;
  }

  /** The connection, if it is up. */
  current(): MemoryConnection | undefined {
    return this.#connection?.client.isOpen === true ? this.#connection : undefined;
  }

  dial(onConnection: OnConnection): void {
    this.#waiting.push(onConnection);
    if (this.#waiting.length > 1) return;
    this.#network.connect(this.#process, this.#address, (connection) => {
      this.#connection = connection;
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const one of waiting) one(connection);
    });
  }

  close(): void {
    this.#connection?.client.close();
  }
}

/** A call that waits for its connection: what is asked for meanwhile is done once it is up. */
class DialledCall implements ClientTransport {
  readonly canJoin = true;
  readonly #clock: Clock;
  readonly #listener: ClientTransportListener;
  #call: MemoryClientCall | undefined;
  #pending: ((call: MemoryClientCall) => void)[] = [];
  #isOver = false;

  constructor(dialler: Dialler, call: OutgoingCall, listener: ClientTransportListener) {
    this.#clock = dialler.clock;
    this.#listener = listener;
    const start = (connection: MemoryConnection | undefined) => {
      if (this.#isOver) return;
      if (connection === undefined) this.#fail({ code: 14, message: 'nobody listens there' });
      else this.#start(new MemoryClientCall(connection, call, listener, connection.accept));
    };
    const connection = dialler.current();
    if (connection === undefined) dialler.dial(start);
    else start(connection);
  }

  write(batch: readonly RpcBytes[], done: () => void): void {
    this.#do((call) => call.write(batch, done));
  }

  read(): void {
    this.#do((call) => call.read());
  }

  halfClose(): void {
    this.#do((call) => call.halfClose());
  }

  cancel(status: RpcStatus): void {
    if (this.#call === undefined) this.#fail(status);
    else this.#call.cancel(status);
  }

  #start(call: MemoryClientCall): void {
    this.#call = call;
    const pending = this.#pending;
    this.#pending = [];
    for (const run of pending) run(call);
  }

  #do(run: (call: MemoryClientCall) => void): void {
    if (this.#call === undefined) this.#pending.push(run);
    else run(this.#call);
  }

  #fail(status: RpcStatus): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#clock.soon(() => this.#listener.onStatus(status, false));
  }
}
