/**
 * The messages of a call in one direction, both ends of it in one object: encoded bytes are copied
 * when they are sent, travel over the connection, and wait at the receiver until it reads. The sender
 * may have as much unread as an HTTP/2 window holds; then its batch is not done before room is made. As
 * in HTTP/2 the receiver tells of what it has read once that is a good part of the window.
 */
import { limits } from '../../model/limits.ts';
import type { RpcBytes } from '../../ports/rpc.ts';
import type { ConnectionEnd } from './connection-end.ts';

/** Read bytes of which the sender is told at once. */
const creditBytes = limits.rpcWindowBytes / 4;

export interface LaneReceiver {
  onMessage(bytes: Buffer): void;
  /** Reached after the last message. */
  onEnd(): void;
}

export class MessageLane {
  readonly #sender: ConnectionEnd;
  readonly #receiver: ConnectionEnd;
  readonly #target: LaneReceiver;
  /** Sender's: bytes sent that the receiver has not read, as far as the sender knows. */
  #unreadBytes = 0;
  /** Batches that are not done, because the window was full when they were written. */
  #onRoom: (() => void)[] = [];
  /** Receiver's: bytes read that the sender was not told of. */
  #owedBytes = 0;
  /** Receiver's: what has arrived and was not read; undefined marks the end. */
  readonly #arrived: (Buffer | undefined)[] = [];
  #isAskedFor = false;
  #isOver = false;

  constructor(sender: ConnectionEnd, receiver: ConnectionEnd, target: LaneReceiver) {
    this.#sender = sender;
    this.#receiver = receiver;
    this.#target = target;
  }

  write(batch: readonly RpcBytes[], done: () => void): void {
    for (const parts of batch) {
      const bytes = Buffer.concat(parts);
      this.#unreadBytes += bytes.length;
      this.#sender.send(() => this.#arrive(bytes));
    }
    if (this.#unreadBytes < limits.rpcWindowBytes) this.#sender.clock.soon(done);
    else this.#onRoom.push(done);
  }

  /** The end of the messages travels behind them. */
  end(): void {
    this.#sender.send(() => this.#arrive(undefined));
  }

  /** Receiver's: asks for the next message or the end. */
  read(): void {
    this.#isAskedFor = true;
    this.#deliver();
  }

  /** True if nothing waits to be read. */
  get isEmpty(): boolean {
    return this.#arrived.length === 0;
  }

  /** Drops what is on its way; nothing is delivered or called back any more. */
  stop(): void {
    this.#isOver = true;
    this.#arrived.length = 0;
    this.#onRoom = [];
  }

  #arrive(bytes: Buffer | undefined): void {
    if (this.#isOver) return;
    this.#arrived.push(bytes);
    this.#deliver();
  }

  #deliver(): void {
    if (!this.#isAskedFor || this.#isOver || this.#arrived.length === 0) return;
    this.#isAskedFor = false;
    const bytes = this.#arrived.shift();
    if (bytes === undefined) {
      this.#target.onEnd();
      return;
    }
    this.#giveCredit(bytes.length);
    this.#target.onMessage(bytes);
  }

  #giveCredit(bytes: number): void {
    this.#owedBytes += bytes;
    if (this.#owedBytes < creditBytes) return;
    const owed = this.#owedBytes;
    this.#owedBytes = 0;
    this.#receiver.send(() => this.#makeRoom(owed));
  }

  #makeRoom(bytes: number): void {
    this.#unreadBytes -= bytes;
    if (this.#unreadBytes >= limits.rpcWindowBytes) return;
    const onRoom = this.#onRoom;
    this.#onRoom = [];
    for (const done of onRoom) done();
  }
}
