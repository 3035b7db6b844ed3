import type { HighwaterError } from '../../../proto/model/errors.ts';
import type { RpcStreamHandlers } from '../../../proto/ports/rpc.ts';

/** Handlers that note what they are told, and promises for what a test waits for. */
export class StreamProbe implements RpcStreamHandlers<Buffer> {
  readonly received: Buffer[] = [];
  readonly closed: Promise<HighwaterError | undefined>;
  closeCount = 0;
  drainCount = 0;
  receivedBytes = 0;
  /** Called after each message and each drain. */
  react: (message: Buffer | undefined) => void = () => {};
  #close: (error: HighwaterError | undefined) => void = () => {};
  #waiting: { readonly isReached: () => boolean; readonly resolve: () => void }[] = [];

  constructor() {
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
  }

  onMessage(message: Buffer): void {
    this.received.push(message);
    this.receivedBytes += message.length;
    this.react(message);
    this.#check();
  }

  onDrain(): void {
    this.drainCount++;
    this.react(undefined);
    this.#check();
  }

  onClose(error: HighwaterError | undefined): void {
    this.closeCount++;
    this.#close(error);
    this.#check();
  }

  texts(): string[] {
    return this.received.map((message) => message.toString());
  }

  /** Resolves when the predicate holds after an event of this probe. */
  until(isReached: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ isReached, resolve });
      this.#check();
    });
  }

  #check(): void {
    this.#waiting = this.#waiting.filter(({ isReached, resolve }) => {
      if (!isReached()) return true;
      resolve();
      return false;
    });
  }
}

/** A promise and its resolver. */
export interface Deferred<Value> {
  readonly promise: Promise<Value>;
  readonly resolve: (value: Value) => void;
}

export function deferred<Value>(): Deferred<Value> {
  let resolve: (value: Value) => void = () => {};
  const promise = new Promise<Value>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
