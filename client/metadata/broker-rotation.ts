/**
 * Which broker to ask next: those that the metadata names, fenced ones last, then the addresses that
 * the client was started with, in a circle, so that none is passed over and none is asked twice in a row.
 */
import type { Broker } from '../../proto/generated/highwater/v1/metadata.ts';
import { invariant } from '../../proto/model/invariant.ts';

export class BrokerRotation {
  readonly #bootstrap: readonly string[];
  #addresses: readonly string[];
  #at: number;

  constructor(bootstrap: readonly string[], start: number) {
    invariant(bootstrap.length > 0, 'a client knows at least one address');
    this.#bootstrap = bootstrap;
    this.#addresses = [...new Set(bootstrap)];
    this.#at = start % this.#addresses.length;
  }

  get size(): number {
    return this.#addresses.length;
  }

  /** The next address in the circle. */
  next(): string {
    const address = this.#addresses[this.#at % this.#addresses.length];
    this.#at = (this.#at + 1) % this.#addresses.length;
    invariant(address !== undefined, 'the circle is not empty');
    return address;
  }

  /** The one after a given address, without moving the circle. */
  after(address: string): string {
    const at = this.#addresses.indexOf(address);
    return this.#addresses[(at + 1) % this.#addresses.length] ?? address;
  }

  /** Takes note of the brokers of the cluster. */
  learn(brokers: Iterable<Broker>): void {
    const known = [...brokers].filter((broker) => broker.port > 0);
    const live = known.filter((broker) => !broker.fenced).map(addressOf);
    const fenced = known.filter((broker) => broker.fenced).map(addressOf);
    this.#addresses = [...new Set([...live, ...this.#bootstrap, ...fenced])];
    this.#at %= this.#addresses.length;
  }
}

/** Where a broker listens for clients. */
export function addressOf(broker: { readonly host: string; readonly port: number }): string {
  return `${broker.host}:${broker.port}`;
}
