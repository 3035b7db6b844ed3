/**
 * The wire from a node to itself: two roles of one process talk over it as they would to another
 * node. Bytes arrive in a later turn, in order, copied.
 */

import { HighwaterError } from '../model/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Wire, WireHandlers, WireNetwork } from './wire.ts';

export function createLoopNetwork(clock: Clock, accept: (wire: Wire) => WireHandlers): WireNetwork {
  return {
    listen() {
      throw new HighwaterError('INTERNAL', 'the loop inside a process needs no listener');
    },
    dial(_to, handlers) {
      const near = new LoopEnd(clock);
      const far = new LoopEnd(clock);
      near.join(far, handlers);
      clock.soon(() => {
        far.join(near, accept(far));
        handlers.onOpen();
      });
      return near;
    },
  };
}

class LoopEnd implements Wire {
  readonly remote = 'this process';
  readonly #clock: Clock;
  #other: LoopEnd | undefined;
  #handlers: WireHandlers | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  join(other: LoopEnd, handlers: WireHandlers): void {
    this.#other = other;
    this.#handlers = handlers;
  }

  write(parts: readonly Uint8Array[], written: () => void): void {
    const bytes = Buffer.concat(parts);
    this.#clock.soon(() => {
      this.#other?.arrived(bytes);
      if (this.#handlers !== undefined) written();
    });
  }

  end(): void {
    this.destroy();
  }

  destroy(): void {
    this.#handlers = undefined;
    this.#clock.soon(() => this.#other?.closedByOther());
  }

  arrived(bytes: Buffer): void {
    this.#handlers?.onBytes(bytes);
  }

  closedByOther(): void {
    const handlers = this.#handlers;
    this.#handlers = undefined;
    handlers?.onClose('closed');
  }
}
