/**
 * One simulated connection: two ends and a pipe for each direction. It behaves as TCP does: bytes in
 * order or a closed connection, an end that is destroyed loses what it had under way, an end that is
 * ended does not.
 */
import type { Wire, WireCloseReason, WireHandlers } from '../wire.ts';
import type { MemoryPipe } from './memory-pipe.ts';

export class MemoryEnd implements Wire {
  readonly remote: string;
  readonly #out: MemoryPipe;
  readonly #isStopped: () => boolean;
  #peer: MemoryEnd | undefined;
  #handlers: WireHandlers | undefined;
  #isClosed = false;
  /** What a stopped process would have done and will do when it goes on. */
  #pending: (() => void)[] = [];

  constructor(remote: string, out: MemoryPipe, isStopped: () => boolean) {
    this.remote = remote;
    this.#out = out;
    this.#isStopped = isStopped;
  }

  join(peer: MemoryEnd): void {
    this.#peer = peer;
  }

  handle(handlers: WireHandlers): void {
    if (!this.#isClosed) this.#handlers = handlers;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  confirmed(): void {
    this.#handlers?.onOpen();
  }

  arrived(bytes: Buffer): void {
    this.#handlers?.onBytes(bytes);
  }

  /** The machine's answer to a dial: the connection is open, whatever the process does. */
  confirm(): void {
    this.#out.put({ arrive: () => this.#peer?.confirmed() });
  }

  /** Tells the other end of the end, with what is under way before it. */
  hangUp(reason: WireCloseReason): void {
    this.#isClosed = true;
    this.#handlers = undefined;
    this.#out.put({ arrive: () => this.#peer?.closedByPeer(reason) });
  }

  write(parts: readonly Uint8Array[], written: () => void): void {
    if (this.#isClosed) return;
    const bytes = Buffer.concat(parts);
    this.#act(() => {
      this.#out.put({
        arrive: () => {
          this.#peer?.arrived(bytes);
          if (this.#handlers !== undefined) written();
        },
      });
    });
  }

  end(): void {
    this.#leave(() => this.hangUp('closed'));
  }

  destroy(): void {
    this.#leave(() => {
      this.#out.keep(0);
      this.hangUp('closed');
    });
  }

  /** The process is gone and its machine closes: of what is under way the first `kept` arrive. */
  die(kept: number): void {
    this.#pending = [];
    this.#out.keep(kept);
    this.hangUp('closed');
  }

  /** The connection broke on the way: the other end is told, what was under way is lost. */
  breakOff(): void {
    this.#out.keep(0);
    this.#out.put({ arrive: () => this.#peer?.closedByPeer('closed') });
  }

  /** The machine is gone: nothing arrives any more, and nobody is told. */
  fallSilent(): void {
    this.#pending = [];
    this.#isClosed = true;
    this.#handlers = undefined;
    this.#out.keep(0);
  }

  /** The process goes on. */
  resume(): void {
    const pending = this.#pending;
    this.#pending = [];
    for (const action of pending) action();
    this.#out.pump();
  }

  pump(): void {
    this.#out.pump();
  }

  get underWay(): number {
    return this.#out.length;
  }

  #leave(action: () => void): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#handlers = undefined;
    this.#act(action);
  }

  #act(action: () => void): void {
    if (this.#isStopped()) this.#pending.push(action);
    else action();
  }

  closedByPeer(reason: WireCloseReason): void {
    const handlers = this.#handlers;
    this.#handlers = undefined;
    this.#isClosed = true;
    handlers?.onClose(reason);
  }
}
