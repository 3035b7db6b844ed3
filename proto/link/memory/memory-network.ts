/**
 * The simulated network between the nodes of one process, on virtual time. Each ordered pair of nodes
 * has its own delay and can be cut by itself; processes can die, stop and vanish; connections can be
 * lost at any moment with what is under way. What travels are the real encoded bytes.
 *
 * It draws all chance from its `Random` and does nothing but by its `Clock`: the same seed and the
 * same calls give the same deliveries.
 */
import { HighwaterError } from '../../model/errors.ts';
import type { NodeId } from '../../model/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { PeerAddress } from '../../ports/link.ts';
import type { Random } from '../../ports/random.ts';
import type { Wire, WireHandlers, WireListener, WireNetwork } from '../wire.ts';
import { MemoryEnd } from './memory-connection.ts';
import { MemoryPipe } from './memory-pipe.ts';

export interface MemoryDelay {
  readonly latencyMs: number;
  /** Added at random, up to this; the order of bytes stays. */
  readonly jitterMs: number;
}

interface Listener {
  readonly node: NodeId;
  accept(wire: Wire): WireHandlers;
}

/** A connection with the nodes at its ends, which a fault chooses it by. */
interface Connection {
  readonly nodes: readonly [NodeId, NodeId];
  readonly ends: readonly [MemoryEnd, MemoryEnd];
}

const portFirst = 20_000;

export class MemoryNetwork {
  readonly #clock: Clock;
  readonly #random: Random;
  #delay: MemoryDelay = { latencyMs: 0.2, jitterMs: 0.1 };
  readonly #delays = new Map<string, MemoryDelay>();
  readonly #cuts = new Set<string>();
  readonly #stopped = new Set<NodeId>();
  readonly #vanished = new Set<NodeId>();
  readonly #listeners = new Map<string, Listener>();
  #connections: Connection[] = [];
  #portNext = portFirst;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** The network as one node sees it. */
  of(node: NodeId): WireNetwork {
    return {
      listen: (host, port, accept) => this.#listen(node, { host, port }, accept),
      dial: (to, handlers) => this.#dial(node, to, handlers),
    };
  }

  /** The delay of every pair that has none of its own. */
  setDefaultDelay(delay: MemoryDelay): void {
    this.#delay = delay;
  }

  setDelay(from: NodeId, to: NodeId, delay: MemoryDelay): void {
    this.#delays.set(way(from, to), delay);
  }

  /** Nothing gets from one node to the other; what is sent is held until the cut heals. */
  cut(from: NodeId, to: NodeId): void {
    this.#cuts.add(way(from, to));
  }

  cutBoth(a: NodeId, b: NodeId): void {
    this.cut(a, b);
    this.cut(b, a);
  }

  heal(from: NodeId, to: NodeId): void {
    this.#cuts.delete(way(from, to));
    this.#pump();
  }

  healAll(): void {
    this.#cuts.clear();
    this.#pump();
  }

  /** Every connection between the two nodes breaks with all that is under way; both are told. */
  lose(a: NodeId, b: NodeId): void {
    for (const { nodes, ends } of this.#connections) {
      if (nodes.includes(a) && nodes.includes(b)) for (const end of ends) end.breakOff();
    }
  }

  /**
   * The process is killed and its machine closes its connections: peers see them closed, after a part
   * of what it had sent, and new dials are refused until it listens again.
   */
  kill(node: NodeId): void {
    this.#stopped.delete(node);
    this.#forgetListeners(node);
    for (const end of this.#endsOf(node)) {
      end.die(this.#random.below(end.underWay + 1));
    }
  }

  /** The machine is gone: peers hear nothing, dials are not answered, until `bringBack`. */
  vanish(node: NodeId): void {
    this.#stopped.delete(node);
    this.#vanished.add(node);
    this.#forgetListeners(node);
    for (const end of this.#endsOf(node)) end.fallSilent();
  }

  /** The machine is there again: connections that peers still believe in are closed. */
  bringBack(node: NodeId): void {
    this.#vanished.delete(node);
    for (const end of this.#endsOf(node)) if (end.isClosed) end.die(0);
    this.#pump();
  }

  /** The process stands still: its machine keeps its connections and answers dials for it. */
  stop(node: NodeId): void {
    this.#stopped.add(node);
  }

  /** The process goes on with all that has come meanwhile. */
  resume(node: NodeId): void {
    this.#stopped.delete(node);
    for (const end of this.#endsOf(node)) end.resume();
    this.#pump();
  }

  #listen(
    node: NodeId,
    at: { readonly host: string; readonly port: number },
    accept: Listener['accept'],
  ): Promise<WireListener> {
    const port = at.port === 0 ? this.#portNext++ : at.port;
    const key = `${at.host}:${port}`;
    if (this.#listeners.has(key)) {
      const error = new HighwaterError('INVALID_CONFIG', `${key} is in use`);
      return Promise.reject(error);
    }
    const listener: Listener = { node, accept };
    this.#listeners.set(key, listener);
    const close = (): Promise<void> => {
      if (this.#listeners.get(key) === listener) this.#listeners.delete(key);
      return Promise.resolve();
    };
    return Promise.resolve({ port, close });
  }

  #dial(from: NodeId, to: PeerAddress, handlers: WireHandlers): Wire {
    const key = `${to.host}:${to.port}`;
    const far = this.#listeners.get(key)?.node ?? to.nodeId;
    const forth = this.#pipe(from, far);
    const near = new MemoryEnd(key, forth, () => this.#stopped.has(from));
    const back = this.#pipe(far, from);
    const farEnd = new MemoryEnd(`node ${from}`, back, () => this.#stopped.has(far));
    near.join(farEnd);
    farEnd.join(near);
    near.handle(handlers);
    this.#forgetEnded();
    this.#connections.push({ nodes: [from, far], ends: [near, farEnd] });
    forth.put({ isForMachine: true, arrive: () => this.#arrived({ far, key, farEnd, forth }) });
    return near;
  }

  /** A dial has reached the other machine. */
  #arrived(dial: {
    readonly far: NodeId;
    readonly key: string;
    readonly farEnd: MemoryEnd;
    readonly forth: MemoryPipe;
  }): void {
    if (this.#vanished.has(dial.far)) return;
    if (this.#listeners.get(dial.key)?.node !== dial.far) {
      dial.farEnd.hangUp('refused');
      return;
    }
    dial.farEnd.confirm();
    const accept = (): void => {
      const listener = this.#listeners.get(dial.key);
      if (listener === undefined) dial.farEnd.die(0);
      else dial.farEnd.handle(listener.accept(dial.farEnd));
    };
    dial.forth.put({ arrive: accept });
  }

  #pipe(from: NodeId, to: NodeId): MemoryPipe {
    const key = way(from, to);
    return new MemoryPipe(this.#clock, {
      delayMs: () => {
        const { latencyMs, jitterMs } = this.#delays.get(key) ?? this.#delay;
        return latencyMs + (jitterMs * this.#random.below(1024)) / 1024;
      },
      isBlocked: (item) =>
        this.#cuts.has(key) || (this.#stopped.has(to) && item.isForMachine !== true),
    });
  }

  #endsOf(node: NodeId): readonly MemoryEnd[] {
    return this.#connections.flatMap(({ nodes, ends }) =>
      ends.filter((_, index) => nodes[index] === node),
    );
  }

  #forgetListeners(node: NodeId): void {
    for (const [key, listener] of this.#listeners) {
      if (listener.node === node) this.#listeners.delete(key);
    }
  }

  #forgetEnded(): void {
    this.#connections = this.#connections.filter(({ ends }) =>
      ends.some((end) => !end.isClosed || end.underWay > 0),
    );
  }

  #pump(): void {
    for (const { ends } of this.#connections) for (const end of ends) end.pump();
  }
}

function way(from: NodeId, to: NodeId): string {
  return `${from}>${to}`;
}
