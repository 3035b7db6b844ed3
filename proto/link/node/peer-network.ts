/**
 * A network with faults, made of proxies in front of real nodes: each node's peers reach it through a
 * proxy on its advertised peer address. Who dials is read from the hello, so that each direction
 * between two nodes can be held or slowed by itself. The clients of a node may get a proxy too; they
 * count as node 0.
 *
 * A direction that is held carries nothing and loses nothing, like a cut cable: connections stay open
 * without a word, new ones are taken and hear no hello. Released, TCP would send again what was lost,
 * so what was held goes on. A direction that is slowed shares its rate among all its connections.
 *
 * Invariant: a proxy keeps at most one chunk of each direction in memory; beyond that it does not read.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { readHello } from '../hello.ts';
import { Flow, type Meter, Pace } from './flow.ts';

/** One connection through a proxy. */
interface Tunnel {
  readonly from: number;
  readonly to: number;
  readonly dialler: Socket;
  readonly target: Socket;
  readonly there: Flow;
  readonly back: Flow;
}

/** The number under which clients are known here. */
export const clientsSide = 0;

export class PeerNetwork {
  readonly #servers: Server[] = [];
  readonly #tunnels = new Set<Tunnel>();
  readonly #held = new Set<string>();
  readonly #paces = new Map<string, Pace>();
  readonly #meters = new Map<string, Meter>();

  /** A proxy that listens where the others find the node, and passes on to where it listens. */
  front(node: number, listen: number, target: number): Promise<void> {
    return this.#listen(listen, (dialler) => this.#accept(dialler, node, target));
  }

  /** The same for the clients of a node. */
  frontClients(node: number, listen: number, target: number): Promise<void> {
    return this.#listen(listen, (dialler) =>
      this.#join({ from: clientsSide, to: node, dialler, port: target }, Buffer.alloc(0)),
    );
  }

  /** Holds what one node sends to another. */
  hold(from: number, to: number): void {
    this.#held.add(key(from, to));
    this.#refresh();
  }

  /** Lets one direction pass again, at full speed. */
  release(from: number, to: number): void {
    this.#held.delete(key(from, to));
    this.#paces.delete(key(from, to));
    this.#refresh();
  }

  /** Lets what one node sends to another pass at this rate only. */
  slow(from: number, to: number, bytesPerSecond: number): void {
    this.#paces.set(key(from, to), new Pace(bytesPerSecond));
    this.#refresh();
  }

  /** Holds everything between a node and these others, both ways. */
  isolate(node: number, others: readonly number[]): void {
    for (const other of others) {
      this.#held.add(key(node, other));
      this.#held.add(key(other, node));
    }
    this.#refresh();
  }

  /** Bytes that one node has sent to another so far. */
  passed(from: number, to: number): number {
    return this.#meterOf(from, to).bytes;
  }

  /** What is under way from and to a node is lost, as it is with a machine that dies. */
  drop(node: number): void {
    for (const { from, to, dialler, target } of this.#tunnels) {
      if (from !== node && to !== node) continue;
      dialler.destroy();
      target.destroy();
    }
  }

  /** Everything passes again. */
  heal(): void {
    this.#held.clear();
    this.#paces.clear();
    this.#refresh();
  }

  async close(): Promise<void> {
    for (const { dialler, target } of this.#tunnels) {
      dialler.destroy();
      target.destroy();
    }
    await Promise.all(
      this.#servers.map((server) => new Promise((resolve) => server.close(resolve))),
    );
  }

  #listen(port: number, onConnection: (dialler: Socket) => void): Promise<void> {
    const server = createServer(onConnection);
    this.#servers.push(server);
    return new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
  }

  /** The first bytes say who dials; they are passed on as they came. */
  #accept(dialler: Socket, to: number, port: number): void {
    let first = Buffer.alloc(0);
    dialler.on('error', () => dialler.destroy());
    const onData = (chunk: Buffer): void => {
      first = Buffer.concat([first, chunk]);
      const reading = readHello(first);
      if (reading.kind === 'incomplete') return;
      dialler.off('data', onData);
      dialler.pause();
      const from = reading.kind === 'hello' ? reading.hello.identity.nodeId : clientsSide;
      this.#join({ from, to, dialler, port }, first);
    };
    dialler.on('data', onData);
  }

  #join(
    ends: { readonly from: number; readonly to: number; readonly dialler: Socket; port: number },
    first: Buffer,
  ): void {
    const { from, to, dialler, port } = ends;
    const target = connect(port, '127.0.0.1');
    const there = new Flow(dialler, target, this.#meterOf(from, to));
    const back = new Flow(target, dialler, this.#meterOf(to, from));
    const tunnel = { from, to, dialler, target, there, back };
    this.#tunnels.add(tunnel);
    dialler.setNoDelay(true);
    target.setNoDelay(true);
    const end = (): void => {
      this.#tunnels.delete(tunnel);
      there.close();
      back.close();
      dialler.destroy();
      target.destroy();
    };
    for (const socket of [dialler, target]) socket.on('error', end).on('close', end);
    this.#apply(tunnel);
    there.pass(first);
  }

  #meterOf(from: number, to: number): Meter {
    const meter = this.#meters.get(key(from, to)) ?? { bytes: 0 };
    this.#meters.set(key(from, to), meter);
    return meter;
  }

  #refresh(): void {
    for (const tunnel of this.#tunnels) this.#apply(tunnel);
  }

  #apply({ from, to, there, back }: Tunnel): void {
    there.set(this.#held.has(key(from, to)), this.#paces.get(key(from, to)));
    back.set(this.#held.has(key(to, from)), this.#paces.get(key(to, from)));
  }
}

function key(from: number, to: number): string {
  return `${from}>${to}`;
}
