/**
 * The links of a node that can be disturbed: what its peers send passes the node's gate, and an isolated
 * node has no links and gets none.
 *
 * Invariant: the rules of a wire hold here too: after `onClose`, and after the own `destroy` or `end`,
 * no handler is called.
 */
import type { Wire, WireHandlers, WireNetwork } from '../../../proto/link/wire.ts';
import type { Clock } from '../../../proto/ports/clock.ts';
import type { InputGate } from './input-gate.ts';

/** What an isolated node says of a dial or of a link that it had. */
const isolated = 'this node is isolated';

export class GatedNetwork implements WireNetwork {
  readonly #network: WireNetwork;
  readonly #gate: InputGate;
  readonly #clock: Clock;
  readonly #open = new Set<GatedWire>();
  #isIsolated = false;

  constructor(network: WireNetwork, gate: InputGate, clock: Clock) {
    this.#network = network;
    this.#gate = gate;
    this.#clock = clock;
  }

  listen: WireNetwork['listen'] = (host, port, accept) =>
    this.#network.listen(host, port, (wire) => {
      if (this.#isIsolated) {
        wire.destroy();
        return deaf;
      }
      const gated = this.#wrap();
      gated.over(wire, accept(gated));
      return gated.handlers;
    });

  dial: WireNetwork['dial'] = (to, handlers) => {
    const gated = this.#wrap();
    if (!this.#isIsolated) {
      gated.over(this.#network.dial(to, gated.handlers), handlers);
      return gated;
    }
    gated.over(nowhere, handlers);
    this.#clock.soon(() => gated.handlers.onClose('unreachable', isolated));
    return gated;
  };

  /** Destroys every link and refuses others, or lets them come again. */
  isolate(isIsolated: boolean): void {
    this.#isIsolated = isIsolated;
    if (isIsolated) for (const wire of [...this.#open]) wire.cut();
  }

  #wrap(): GatedWire {
    const wire: GatedWire = new GatedWire(this.#gate, () => this.#open.delete(wire));
    this.#open.add(wire);
    return wire;
  }
}

/** One link of the node. */
class GatedWire implements Wire {
  readonly #gate: InputGate;
  readonly #onOver: () => void;
  #wire: Wire = nowhere;
  #inner: WireHandlers | undefined;

  constructor(gate: InputGate, onOver: () => void) {
    this.#gate = gate;
    this.#onOver = onOver;
  }

  /** The wire that this one stands for, and who listens to it. */
  over(wire: Wire, inner: WireHandlers): void {
    this.#wire = wire;
    this.#inner = inner;
  }

  get remote(): string {
    return this.#wire.remote;
  }

  readonly handlers: WireHandlers = {
    onOpen: () => this.#gate.pass(() => this.#inner?.onOpen()),
    onBytes: (chunk) => {
      if (this.#gate.isOpen) this.#inner?.onBytes(chunk);
      else this.#later(Buffer.from(chunk));
    },
    space: () => (this.#gate.isOpen ? this.#inner?.space() : undefined),
    onFilled: (count) => this.#inner?.onFilled(count),
    onClose: (reason, detail) =>
      this.#gate.pass(() => {
        const inner = this.#inner;
        this.#forget();
        inner?.onClose(reason, detail);
      }),
  };

  write(parts: readonly Uint8Array[], written: () => void): void {
    this.#wire.write(parts, written);
  }

  end(): void {
    this.#forget();
    this.#wire.end();
  }

  destroy(): void {
    this.#forget();
    this.#wire.destroy();
  }

  /** Ends the link for both sides. */
  cut(): void {
    this.#wire.destroy();
    this.handlers.onClose('closed', isolated);
  }

  #later(copy: Buffer): void {
    this.#gate.pass(() => this.#inner?.onBytes(copy));
  }

  #forget(): void {
    this.#inner = undefined;
    this.#onOver();
  }
}

/** The wire of a dial that goes nowhere. */
const nowhere: Wire = {
  remote: 'nowhere',
  write: () => undefined,
  end: () => undefined,
  destroy: () => undefined,
};

const deaf: WireHandlers = {
  onOpen: () => undefined,
  onBytes: () => undefined,
  space: () => undefined,
  onFilled: () => undefined,
  onClose: () => undefined,
};
