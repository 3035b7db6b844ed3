/**
 * The network between the nodes of a process cluster: one proxy in front of each node's peer address.
 * Who dials is read from the hello, so that each direction between two nodes can be held by itself.
 *
 * A direction that is held carries nothing and loses nothing, like a cut cable: connections stay open
 * without a word, new ones are taken and hear no hello. Released, TCP would send again what was lost,
 * so what was held goes on.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { readHello } from '../../proto/link/hello.ts';

/** One connection through a proxy. */
interface Tunnel {
  readonly from: number;
  readonly to: number;
  readonly dialler: Socket;
  readonly target: Socket;
}

export class PeerNetwork {
  readonly #servers: Server[] = [];
  readonly #tunnels = new Set<Tunnel>();
  readonly #held = new Set<string>();

  /** A proxy that listens where the others find the node, and passes on to where it listens. */
  async front(node: number, listen: number, target: number): Promise<void> {
    const server = createServer((dialler) => this.#accept(dialler, node, target));
    this.#servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(listen, '127.0.0.1', resolve);
    });
  }

  /** Holds what one node sends to another. */
  hold(from: number, to: number): void {
    this.#held.add(`${from}>${to}`);
    this.#refresh();
  }

  /** Holds everything between a node and these others, both ways. */
  isolate(node: number, others: readonly number[]): void {
    for (const other of others) {
      this.hold(node, other);
      this.hold(other, node);
    }
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
      const from = reading.kind === 'hello' ? reading.hello.identity.nodeId : 0;
      this.#join({ from, to, dialler, target: connect(port, '127.0.0.1') }, first);
    };
    dialler.on('data', onData);
  }

  #join(tunnel: Tunnel, first: Buffer): void {
    const { dialler, target } = tunnel;
    this.#tunnels.add(tunnel);
    dialler.setNoDelay(true);
    target.setNoDelay(true);
    const end = (): void => {
      this.#tunnels.delete(tunnel);
      dialler.destroy();
      target.destroy();
    };
    for (const socket of [dialler, target]) socket.on('error', end).on('close', end);
    dialler.unshift(first);
    dialler.on('data', (chunk: Buffer) => target.write(chunk));
    target.on('data', (chunk: Buffer) => dialler.write(chunk));
    this.#apply(tunnel);
  }

  #refresh(): void {
    for (const tunnel of this.#tunnels) this.#apply(tunnel);
  }

  #apply({ from, to, dialler, target }: Tunnel): void {
    if (this.#held.has(`${from}>${to}`)) dialler.pause();
    else dialler.resume();
    if (this.#held.has(`${to}>${from}`)) target.pause();
    else target.resume();
  }
}
