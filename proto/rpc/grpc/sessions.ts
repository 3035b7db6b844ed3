import { limits } from '../../model/limits.ts';
import type { Logger } from '../../ports/logger.ts';
import type { ServerSession } from './server-internals.ts';

/** The connections of a server: counted by remote address, so that one machine cannot take them all. */
export class Sessions {
  readonly #logger: Logger;
  readonly #addressMax: number;
  readonly #open = new Set<ServerSession>();
  readonly #byAddress = new Map<string, number>();
  /** Addresses whose refusal is in the log: one line for each flood, not for each connection. */
  readonly #told = new Set<string>();

  #isRefusing = false;

  constructor(logger: Logger, addressMax: number = limits.rpcConnectionsPerAddressMax) {
    this.#logger = logger;
    this.#addressMax = addressMax;
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** Receive windows of the open connections, for tests of the window. */
  windows(): number[] {
    return [...this.#open].map((session) => session.state?.effectiveLocalWindowSize ?? 0);
  }

  /** Destroys every connection and each that comes, until it is told false. */
  refuse(isRefusing: boolean): void {
    this.#isRefusing = isRefusing;
    if (isRefusing) for (const session of [...this.#open]) reset(session);
  }

  opened(session: ServerSession): void {
    if (this.#isRefusing) return reset(session);
    const address = session.socket?.remoteAddress ?? 'unknown';
    const count = (this.#byAddress.get(address) ?? 0) + 1;
    this.#open.add(session);
    this.#byAddress.set(address, count);
    session.once('close', () => this.#closed(session, address));
    if (count > this.#addressMax) {
      this.#tell(address, count);
      session.destroy();
    }
  }

  #tell(address: string, count: number): void {
    if (this.#told.has(address)) return;
    this.#told.add(address);
    const message = 'An address has too many connections; more of them are closed at once.';
    this.#logger.warn('rpc-connection-refused', message, { address, count });
  }

  #closed(session: ServerSession, address: string): void {
    this.#open.delete(session);
    const count = (this.#byAddress.get(address) ?? 1) - 1;
    if (count === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, count);
    if (count <= this.#addressMax / 2) this.#told.delete(address);
  }
}

/** As a machine that is cut off: an orderly end of the session would tell its calls that they are over. */
function reset(session: ServerSession): void {
  session.socket?.resetAndDestroy?.();
  session.destroy();
}
