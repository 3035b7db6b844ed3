/**
 * A wire is one connection that moves bytes in order, or closes. It is all that the link asks of a
 * network: TCP, TLS, the simulated network and the loop inside one process differ only here, so the
 * hello, the frames, the credits and the failure rules exist once.
 *
 * Invariant: after `onClose`, and after the own `destroy`, no handler is called.
 */
import type { PeerAddress } from '../ports/link.ts';

/**
 * How a wire ended without this side's doing. `refused`: nobody listens there. `unreachable`: no
 * answer. `closed`: it was open and ended. `mismatch`: the two sides' credentials do not fit.
 */
export type WireCloseReason = 'refused' | 'unreachable' | 'closed' | 'mismatch';

export interface WireHandlers {
  /** A dialled wire is open. Never called on accepted ones. */
  onOpen(): void;
  /** The next bytes. The chunk is lent for the call: who keeps bytes of it copies them. */
  onBytes(chunk: Buffer): void;
  /** Where the next bytes may be put at once instead of being lent, if they are payload anyway. */
  space(): Buffer | undefined;
  /** So many bytes were put at the start of what `space` returned last. */
  onFilled(count: number): void;
  /** `detail` is for the log. */
  onClose(reason: WireCloseReason, detail?: string): void;
}

export interface Wire {
  /** The other end, for logs only. */
  readonly remote: string;
  /** Sends the parts as one write; `written` is called when the machine has taken them all. */
  write(parts: readonly Uint8Array[], written: () => void): void;
  /** Lets what was written go out, then closes. No handler is called any more. */
  end(): void;
  /** Closes at once; what was written may be lost. No handler is called any more. */
  destroy(): void;
}

export interface WireListener {
  readonly port: number;
  /** Stops to listen; open wires stay. */
  close(): Promise<void>;
}

/** Where wires come from. */
export interface WireNetwork {
  listen(host: string, port: number, accept: (wire: Wire) => WireHandlers): Promise<WireListener>;
  /** Never calls a handler before it returns. */
  dial(to: PeerAddress, handlers: WireHandlers): Wire;
}
