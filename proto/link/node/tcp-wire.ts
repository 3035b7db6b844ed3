/** A wire over a TCP or TLS socket. The only place that knows sockets' errors by name. */
import type { OnReadOpts, Socket } from 'node:net';
import type { Clock } from '../../ports/clock.ts';
import type { Wire, WireCloseReason, WireHandlers } from '../wire.ts';

/** Bytes of one read when there is no payload to be filled. */
const scratchBytes = 64 * 1024;
/** The same right after a large payload: another is likely, of which little is to be copied. */
const scratchBytesBetween = 16 * 1024;
/** How long a closing socket may take to send what was written. */
const lingerMs = 1_000;

export class TcpWire implements Wire {
  readonly remote: string;
  readonly #socket: Socket;
  readonly #clock: Clock;
  #handlers: WireHandlers | undefined;
  #isOpen: boolean;
  #error: NodeJS.ErrnoException | undefined;

  constructor(
    socket: Socket,
    clock: Clock,
    state: { readonly remote: string; readonly isOpen: boolean },
  ) {
    this.#socket = socket;
    this.#clock = clock;
    this.remote = state.remote;
    this.#isOpen = state.isOpen;
  }

  /** Sets who is told. */
  handle(handlers: WireHandlers): void {
    this.#handlers = handlers;
    const socket = this.#socket;
    socket.on('error', (error) => {
      this.#error = error;
    });
    socket.on('close', () => this.#closed());
  }

  /** Begins to read by events: each read of the socket allocates a chunk. */
  readChunks(): void {
    this.#socket.on('data', (chunk: Buffer) => this.#handlers?.onBytes(chunk));
  }

  space(): Buffer | undefined {
    return this.#handlers?.space();
  }

  filled(count: number): void {
    this.#handlers?.onFilled(count);
  }

  lend(chunk: Buffer): void {
    this.#handlers?.onBytes(chunk);
  }

  /** The dialled socket is connected, and secured if it is to be. */
  opened(): void {
    this.#isOpen = true;
    this.#handlers?.onOpen();
  }

  write(parts: readonly Uint8Array[], written: () => void): void {
    const socket = this.#socket;
    const done = (error?: Error | null): void => {
      if (error === undefined || error === null) written();
    };
    const last = parts.length - 1;
    if (last > 0) socket.cork();
    parts.forEach((part, index) => {
      if (index === last) socket.write(part, done);
      else socket.write(part);
    });
    if (last > 0) socket.uncork();
  }

  end(): void {
    this.#handlers = undefined;
    this.#socket.destroySoon();
    const timer = this.#clock.after(lingerMs, () => this.#socket.destroy());
    this.#socket.once('close', () => timer.cancel());
  }

  destroy(): void {
    this.#handlers = undefined;
    this.#socket.destroy();
  }

  #closed(): void {
    const handlers = this.#handlers;
    this.#handlers = undefined;
    const detail = this.#error === undefined ? undefined : this.#error.message;
    handlers?.onClose(this.#reason(), detail);
  }

  #reason(): WireCloseReason {
    const code = this.#error?.code ?? '';
    if (this.#isOpen) return 'closed';
    if (code === 'ECONNREFUSED') return 'refused';
    if (code === 'ECONNRESET') return 'closed';
    return unreachableCodes.has(code) ? 'unreachable' : 'mismatch';
  }
}

/**
 * Lets a socket read into one scratch buffer over and over, and the rest of a large payload straight
 * to where it belongs. Node offers this for plain sockets that are dialled, and only those: bulk is
 * best received by the side that dialled, as a follower does.
 */
export function readDirectly(wireOf: () => TcpWire | undefined): OnReadOpts {
  const scratch = Buffer.allocUnsafeSlow(scratchBytes);
  const between = scratch.subarray(0, scratchBytesBetween);
  let lent = scratch;
  let direct: Buffer | undefined;
  return {
    buffer: () => {
      const wasDirect = direct !== undefined;
      direct = wireOf()?.space();
      lent = wasDirect ? between : scratch;
      return direct ?? lent;
    },
    callback: (count) => {
      if (direct === undefined) wireOf()?.lend(lent.subarray(0, count));
      else wireOf()?.filled(count);
      return true;
    },
  };
}

/** Failures before a connection was open in which nobody answered. Others are those of TLS. */
const unreachableCodes = new Set([
  '',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EINVAL',
  'EPERM',
  'EACCES',
  'EMFILE',
  'ENFILE',
  'EPIPE',
]);
