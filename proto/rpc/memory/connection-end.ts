/**
 * One end of a connection in memory. Each end knows only what reached it: after a cut, one may take
 * the connection for open while the other has given it up. Like its TCP model an end that hears
 * nothing in answer to its probes gives up, and a packet to an end that is gone is answered by a reset.
 */
import { limits } from '../../model/limits.ts';
import type { Clock } from '../../ports/clock.ts';
import { OneWay, type Road } from './one-way.ts';

/** A call that lives on a connection; told when the connection is lost. */
export interface CallOnConnection {
  lost(): void;
}

export class ConnectionEnd {
  readonly host: string;
  readonly #clock: Clock;
  readonly #out: OneWay;
  #peer: ConnectionEnd | undefined;
  #isOpen = true;
  readonly #calls = new Set<CallOnConnection>();
  readonly #onClosed: () => void;

  constructor(host: string, clock: Clock, road: Road, onClosed: () => void) {
    this.host = host;
    this.#clock = clock;
    this.#out = new OneWay(road);
    this.#onClosed = onClosed;
  }

  /** Joins two ends and starts their probes. */
  static join(one: ConnectionEnd, other: ConnectionEnd): void {
    one.#peer = other;
    other.#peer = one;
    one.#probe();
    other.#probe();
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get clock(): Clock {
    return this.#clock;
  }

  /** Runs `packet` at the other end when it arrives there. */
  send(packet: () => void): void {
    const peer = this.#peer;
    if (!this.#isOpen || peer === undefined) return;
    this.#out.send(() => {
      if (peer.#isOpen) packet();
      else peer.#out.send(() => this.lose());
    });
  }

  add(call: CallOnConnection): void {
    this.#calls.add(call);
  }

  remove(call: CallOnConnection): void {
    this.#calls.delete(call);
  }

  /** This end takes the connection for lost; the other end is not told. */
  lose(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#onClosed();
    const calls = [...this.#calls];
    this.#calls.clear();
    for (const call of calls) call.lost();
  }

  /** Ends the connection and tells the other end. */
  close(): void {
    const peer = this.#peer;
    this.send(() => peer?.lose());
    this.lose();
  }

  /** The process of this end is gone: nothing of it runs any more. A killed one resets its peer. */
  die(isHeard: boolean): void {
    const peer = this.#peer;
    if (isHeard) this.send(() => peer?.lose());
    this.#isOpen = false;
    this.#calls.clear();
    this.#onClosed();
  }

  /** Lets through what was held on its way from here. */
  release(): void {
    this.#out.release();
  }

  #probe(): void {
    this.#clock.after(limits.rpcKeepaliveMs, () => {
      if (!this.#isOpen) return;
      const peer = this.#peer;
      const timeout = this.#clock.after(limits.rpcKeepaliveTimeoutMs, () => this.lose());
      this.send(() => peer?.send(() => timeout.cancel()));
      this.#probe();
    });
  }
}
