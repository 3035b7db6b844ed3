import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP relay in front of a server: what a test cuts to lose connections. */
export class Relay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #target = 0;

  constructor() {
    this.#server = createServer((socket) => {
      const upstream = connect(this.#target, '127.0.0.1');
      for (const one of [socket, upstream]) {
        this.#sockets.add(one);
        one.on('error', () => {});
        one.on('close', () => this.#sockets.delete(one));
      }
      socket.pipe(upstream);
      upstream.pipe(socket);
    });
  }

  async listen(target: number): Promise<number> {
    this.#target = target;
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve);
    });
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Resets every connection; later ones are relayed again. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}
