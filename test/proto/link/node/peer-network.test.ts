import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePorts } from '../../../../broker/main/free-ports.ts';
import { Pace } from '../../../../proto/link/node/flow.ts';
import { clientsSide, PeerNetwork } from '../../../../proto/link/node/peer-network.ts';

const node = 1;

describe('a proxy in front of a node', () => {
  let network: PeerNetwork;
  let server: Server;
  let client: Socket;
  /** What the node has received. */
  let received = Buffer.alloc(0);
  let arrived: () => void = () => {};

  beforeEach(async () => {
    const [listen = 0, found = 0] = await freePorts(2);
    received = Buffer.alloc(0);
    network = new PeerNetwork();
    server = createServer((socket) =>
      socket.on('data', (chunk: Buffer) => {
        received = Buffer.concat([received, chunk]);
        arrived();
      }),
    );
    await new Promise<void>((resolve) => server.listen(listen, '127.0.0.1', resolve));
    await network.frontClients(node, found, listen);
    client = connect(found, '127.0.0.1');
    await new Promise((resolve) => client.once('connect', resolve));
  });

  afterEach(async () => {
    client.destroy();
    await network.close();
    await new Promise((resolve) => server.close(resolve));
  });

  function receives(count: number): Promise<void> {
    return new Promise((resolve) => {
      arrived = () => received.length >= count && resolve();
      arrived();
    });
  }

  it('passes every byte on, in order, also through a slow direction', async () => {
    const bytes = Buffer.from(Array.from({ length: 20_000 }, (_, index) => index % 251));
    network.slow(clientsSide, node, 200_000);
    client.write(bytes);
    await receives(bytes.length);
    expect(received.equals(bytes)).toBe(true);
    expect(network.passed(clientsSide, node)).toBe(bytes.length);
  });

  it('carries nothing while held, and all of it once released', async () => {
    client.write('before');
    await receives(6);
    network.hold(clientsSide, node);
    client.write(' held');
    // What goes another way is not held: its arrival says that time has passed for the first one too.
    const [second = 0, target = 0] = await freePorts(2);
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(target, '127.0.0.1', resolve));
    await network.frontClients(2, second, target);
    const heard = new Promise((resolve) =>
      other.once('connection', (socket: Socket) => socket.once('data', resolve)),
    );
    const witness = connect(second, '127.0.0.1');
    witness.write('x');
    await heard;
    expect(received.toString()).toBe('before');
    network.heal();
    await receives(11);
    expect(received.toString()).toBe('before held');
    witness.destroy();
    await new Promise((resolve) => other.close(resolve));
  });
});

describe('a pace', () => {
  it('is shared: bytes taken by one connection make the next one wait', () => {
    const pace = new Pace(1_000);
    expect(pace.take(500, 0)).toBe(500);
    expect(pace.take(500, 0)).toBe(1_000);
    expect(pace.take(100, 5_000)).toBe(100);
  });
});
