/**
 * Both ends of a call that never leaves the process; packets between them travel on virtual time.
 */
import type { RpcBytes } from '../../ports/rpc.ts';
import type {
  AcceptCall,
  ClientTransport,
  ClientTransportListener,
  OutgoingCall,
  ServerTransport,
  ServerTransportListener,
} from '../call/transport.ts';
import type { RpcStatus } from '../status.ts';
import type { CallOnConnection, ConnectionEnd } from './connection-end.ts';
import { MessageLane } from './message-lane.ts';

const unavailable = 14;

/** The caller's end of a call in memory. It makes the server's end when the call arrives there. */
export class MemoryClientCall implements ClientTransport, CallOnConnection {
  readonly canJoin = true;
  readonly #end: ConnectionEnd;
  readonly #listener: ClientTransportListener;
  readonly #requests: MessageLane;
  readonly #responses: MessageLane;
  readonly #server: MemoryServerCall;
  #wasSent = false;
  #isOver = false;

  constructor(
    ends: { readonly client: ConnectionEnd; readonly server: ConnectionEnd },
    call: OutgoingCall,
    listener: ClientTransportListener,
    accept: AcceptCall,
  ) {
    const { client, server } = ends;
    this.#end = client;
    this.#listener = listener;
    const remote = this.#asCaller();
    this.#server = new MemoryServerCall(server, remote);
    this.#requests = new MessageLane(client, server, this.#server.requestReceiver);
    this.#responses = new MessageLane(server, client, {
      onMessage: (bytes) => listener.onMessage(bytes),
      onEnd() {},
    });
    client.add(this);
    client.send(() =>
      this.#server.arrive(call, accept, { requests: this.#requests, responses: this.#responses }),
    );
  }

  write(batch: readonly RpcBytes[], done: () => void): void {
    if (this.#isOver) return;
    this.#wasSent = true;
    this.#requests.write(batch, done);
  }

  read(): void {
    if (this.#isOver) return;
    this.#responses.read();
    this.#afterRead();
  }

  halfClose(): void {
    if (!this.#isOver) this.#requests.end();
  }

  cancel(status: RpcStatus): void {
    if (this.#isOver) return;
    this.#end.send(() => this.#server.gone());
    this.#finish(status);
  }

  lost(): void {
    this.#finish({ code: unavailable, message: 'the connection was lost' });
  }

  /** Success waits until the messages before it are read. */
  #success: RpcStatus | undefined;

  #afterRead(): void {
    if (this.#success !== undefined && this.#responses.isEmpty) this.#finish(this.#success);
  }

  #asCaller(): Caller {
    return {
      onOpen: () => {
        if (!this.#isOver) this.#listener.onOpen();
      },
      onStatus: (status) => {
        if (status.code === 0 && !this.#responses.isEmpty) this.#success = status;
        else this.#finish(status);
      },
    };
  }

  #finish(status: RpcStatus): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#end.remove(this);
    this.#requests.stop();
    this.#responses.stop();
    this.#end.clock.soon(() => this.#listener.onStatus(status, this.#wasSent));
  }
}

/** What a server's end tells the caller's end, as packets. */
interface Caller {
  onOpen(): void;
  onStatus(status: RpcStatus): void;
}

interface Lanes {
  readonly requests: MessageLane;
  readonly responses: MessageLane;
}

/** The server's end of a call in memory. */
class MemoryServerCall implements ServerTransport, CallOnConnection {
  readonly canJoin = true;
  readonly #end: ConnectionEnd;
  readonly #caller: Caller;
  #lanes: Lanes | undefined;
  #listener: ServerTransportListener | undefined;
  #isClosed = false;
  #isGone = false;
  readonly requestReceiver = {
    onMessage: (bytes: Buffer) => {
      if (!this.#isClosed) this.#listener?.onMessage(bytes);
    },
    onEnd: () => {
      if (!this.#isClosed) this.#listener?.onHalfClose();
    },
  };

  constructor(end: ConnectionEnd, caller: Caller) {
    this.#end = end;
    this.#caller = caller;
  }

  /** The call has reached the server. */
  arrive(call: OutgoingCall, accept: AcceptCall, lanes: Lanes): void {
    this.#lanes = lanes;
    this.#end.add(this);
    const remote = `${this.#end.host} (in memory)`;
    this.#listener = accept({ ...call, remote, certificateSubject: undefined }, this);
  }

  open(): void {
    this.#end.send(() => this.#caller.onOpen());
  }

  write(batch: readonly RpcBytes[], done: () => void): void {
    if (!this.#isClosed) this.#lanes?.responses.write(batch, done);
  }

  read(): void {
    if (!this.#isClosed) this.#lanes?.requests.read();
  }

  close(status: RpcStatus): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#end.send(() => this.#caller.onStatus(status));
    this.#end.clock.soon(() => this.gone());
  }

  lost(): void {
    this.gone();
  }

  /** The caller has the status, has cancelled or is lost. */
  gone(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#isClosed = true;
    this.#end.remove(this);
    this.#listener?.onGone();
  }
}
