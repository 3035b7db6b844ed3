/**
 * Bounds what a server holds of messages that are not complete or not yet taken, all calls together:
 * a hostile client could otherwise leave thousands of messages of the largest size unfinished.
 *
 * Reaction when full: the call whose bytes pass the bound ends with OVERLOADED and its stream is reset.
 */
import { limits } from '../../model/limits.ts';

export class ReceiveBudget {
  readonly #bytesMax: number;
  #heldBytes = 0;

  constructor(bytesMax: number = limits.rpcReceiveBytesMax) {
    this.#bytesMax = bytesMax;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** A share for one call; `onExceeded` is called when its bytes pass the bound. */
  share(onExceeded: () => void): ReceiveShare {
    let held = 0;
    let isOver = false;
    const add = (bytes: number) => {
      held += bytes;
      this.#heldBytes += bytes;
    };
    return {
      received: (bytes) => {
        if (isOver) return;
        add(bytes);
        if (this.#heldBytes > this.#bytesMax) onExceeded();
      },
      taken: (bytes) => {
        // A compressed message is longer when it is taken than it was on the wire.
        if (!isOver) add(-Math.min(bytes, held));
      },
      release: () => {
        add(-held);
        isOver = true;
      },
    };
  }
}

/** What one call holds of the budget. */
export interface ReceiveShare {
  received(bytes: number): void;
  taken(bytes: number): void;
  /** The call is over; idempotent. */
  release(): void;
}
