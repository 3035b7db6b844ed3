import type { Clock } from '../../ports/clock.ts';

/** What one direction of a connection needs of the network around it. */
export interface Road {
  /** Milliseconds that a packet sent at this moment takes. */
  readonly latencyMs: () => number;
  /** True while packets of this direction are held back. */
  readonly isHeld: () => boolean;
  readonly receiverClock: Clock;
}

/**
 * One direction of a connection: packets arrive in order, after their latency, on the clock of the
 * receiver. While the direction is held they wait, as they do behind a router that drops them and a
 * sender that repeats them; a connection never loses one packet and delivers the next.
 */
export class OneWay {
  readonly #road: Road;
  readonly #packets: (() => void)[] = [];
  /** Packets that came due while held. */
  #overdue = 0;

  constructor(road: Road) {
    this.#road = road;
  }

  send(packet: () => void): void {
    this.#packets.push(packet);
    this.#road.receiverClock.after(this.#road.latencyMs(), () => this.#arrive());
  }

  /** Lets through what came due while the direction was held. */
  release(): void {
    const count = this.#overdue;
    this.#overdue = 0;
    for (let index = 0; index < count; index++) {
      this.#road.receiverClock.after(this.#road.latencyMs(), () => this.#arrive());
    }
  }

  /** Takes the oldest packet, whichever this event was scheduled for: that keeps the order. */
  #arrive(): void {
    if (this.#road.isHeld()) this.#overdue++;
    else this.#packets.shift()?.();
  }
}
