import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { limits } from '../../../../proto/model/limits.ts';
import type { RpcStream } from '../../../../proto/ports/rpc.ts';
import type { GrpcServerBounds } from '../../../../proto/rpc/grpc/server.ts';
import { type LogLine, recordingLogger } from '../../link/link-world.ts';
import { chat, echo } from '../raw-methods.ts';
import { deadlineMs, openChat, text } from '../rpc-bed.ts';
import { StreamProbe } from '../stream-probe.ts';
import { GrpcBed } from './grpc-bed.ts';
import { endOf, frame, RawClient } from './raw-client.ts';

const MiB = 1024 * 1024;

describe('the bounds of a gRPC server', () => {
  let bed: GrpcBed;
  afterEach(() => bed.close());

  async function start(bounds: GrpcServerBounds): Promise<void> {
    bed = new GrpcBed({ bounds });
    bed.server.unary(echo, async (request) => request);
    bed.server.stream(chat, (stream) => {
      stream.pause();
      return { onMessage() {}, onClose() {} };
    });
    await bed.start();
  }

  it('closes connections above the number that it takes, and goes on with the others (F7)', async () => {
    await start({ connectionsMax: 2 });
    const channel = bed.channel();
    await channel.unary(echo, text('first'), { deadlineMs });
    const second = await dial(bed.port);
    const third = await dial(bed.port);
    await once(third, 'close');
    expect((await channel.unary(echo, text('on'), { deadlineMs })).toString()).toBe('on');
    second.destroy();
  });

  it('closes connections of an address above its share (F7)', async () => {
    await start({ connectionsPerAddressMax: 1 });
    await bed.channel().unary(echo, text('first'), { deadlineMs });
    const other = new RawClient(bed.port);
    await once(other.session, 'close');
    expect(bed.server.usage().connections).toBe(1);
  });

  it('tells once in the log of an address that goes on dialling (F7)', async () => {
    const lines: LogLine[] = [];
    bed = new GrpcBed({ bounds: { connectionsPerAddressMax: 2 }, logger: recordingLogger(lines) });
    await bed.start();
    const kept = await Promise.all([dial(bed.port), dial(bed.port)]);
    for (let index = 0; index < 30; index++) await once(await dial(bed.port), 'close');
    expect(lines.filter(({ event }) => event === 'rpc-connection-refused')).toHaveLength(1);
    for (const socket of kept) socket.destroy();
  });

  it('tells clients how many streams a connection may have and refuses more (F7)', async () => {
    await start({ streamsPerConnectionMax: 3 });
    const raw = new RawClient(bed.port);
    const [settings] = (await once(raw.session, 'remoteSettings')) as [
      { maxConcurrentStreams: number },
    ];
    expect(settings.maxConcurrentStreams).toBe(3);
    const streams = Array.from({ length: 5 }, () => raw.open(chat.path));
    await Promise.all(streams.slice(0, 3).map((stream) => once(stream, 'response')));
    expect(bed.server.usage().calls).toBe(3);
    await raw.close();
  });

  it('ends the call that passes the bytes of unfinished messages in all, and frees them (F1, F6)', async () => {
    await start({ receiveBytesMax: 2 * MiB });
    const raw = new RawClient(bed.port);
    const streams = [1, 2, 3, 4].map(() => raw.open(echo.path));
    const ends = streams.map((stream) => endOf(stream));
    for (const stream of streams) stream.write(frame(Buffer.alloc(800_000), 0, 8 * MiB));
    const first = await Promise.race(ends);
    expect(first.grpcStatus).toBe('8');
    expect(bed.server.usage().heldBytes).toBeLessThanOrEqual(2 * MiB + 64 * 1024);
    await raw.close();
    await expect.poll(() => bed.server.usage().heldBytes).toBe(0);
  });

  it('ends a connection that is silent, even one that never says what it speaks (F6)', async () => {
    await start({ keepaliveMs: 50, keepaliveTimeoutMs: 50 });
    const silent = connect(bed.port, '127.0.0.1');
    silent.on('error', () => {});
    silent.resume();
    await once(silent, 'close');
  });

  it('has windows as wide as configured, on every connection', async () => {
    await start({});
    await bed.channel().unary(echo, text('x'), { deadlineMs });
    expect(bed.server.usage().windows).toEqual([limits.rpcWindowBytes]);
    const raw = new RawClient(bed.port);
    const [settings] = (await once(raw.session, 'remoteSettings')) as [
      { initialWindowSize: number },
    ];
    expect(settings.initialWindowSize).toBe(limits.rpcWindowBytes);
    await raw.close();
  });
});

describe('a caller that does not read', () => {
  it('makes the server wait at the bound of unsent bytes, and holds up nobody else (F6)', async () => {
    const bed = new GrpcBed();
    const message = Buffer.alloc(64 * 1024, 1);
    let sentBytes = 0;
    bed.server.unary(echo, async (request) => request);
    bed.server.stream(chat, (stream) => {
      const fill = () => {
        do sentBytes += message.length;
        while (stream.send(message));
      };
      fill();
      return { onMessage() {}, onDrain: fill, onClose() {} };
    });
    await bed.start();
    const raw = new RawClient(bed.port);
    const slow = raw.open(chat.path);
    slow.pause();
    await once(slow, 'response');
    for (let index = 0; index < 20; index++) {
      await bed.channel().unary(echo, text('served'), { deadlineMs });
    }
    // What a foreign client takes before it must read is its window, 64 KiB at default.
    expect(sentBytes).toBeLessThanOrEqual(limits.rpcStreamBufferBytesMax + 1 * MiB);
    await raw.close();
    await bed.close();
  });
});

describe('a connection that is flooded both ways', () => {
  it('carries 16 MiB in flight each way to the end', async () => {
    const bed = new GrpcBed();
    const { client, stream, probe, server } = await openChat(bed);
    const message = Buffer.alloc(256 * 1024, 3);
    const total = 64 * MiB;
    const pour = (to: typeof stream) => {
      let sent = 0;
      return () => {
        while (sent < total) {
          sent += message.length;
          if (!to.send(message)) return;
        }
      };
    };
    const [up, down] = [pour(stream), pour(server.stream)];
    client.react = (received) => received ?? up();
    probe.react = (received) => received ?? down();
    up();
    down();
    await Promise.all([
      client.until(() => client.receivedBytes >= total),
      probe.until(() => probe.receivedBytes >= total),
    ]);
    expect([client.receivedBytes, probe.receivedBytes]).toEqual([total, total]);
    await bed.close();
  });
});

describe('a connection both of whose ends have stopped reading', () => {
  it('has taken 16 MiB each way from its senders, and carries all of it once they read', async () => {
    const bed = new GrpcBed();
    const message = Buffer.alloc(256 * 1024, 5);
    const streams = Math.ceil((16 * MiB) / limits.rpcStreamBufferBytesMax) + 1;
    const far: Ends[] = [];
    bed.server.stream(chat, (stream) => {
      const probe = new StreamProbe();
      far.push({ stream, probe });
      stream.pause();
      return probe;
    });
    await bed.start();
    const channel = bed.channel();
    const near = Array.from({ length: streams }, (): Ends => {
      const probe = new StreamProbe();
      const stream = channel.stream(chat, probe);
      stream.pause();
      return { stream, probe };
    });
    // A stream has arrived once its first message has; the rest is queued while nobody reads.
    for (const { stream } of near) stream.send(message);
    await expect.poll(() => far.length).toBe(streams);
    expect(bed.server.usage().connections).toBe(1);
    const fill = ({ stream }: Ends): number => {
      let bytes = message.length;
      while (stream.send(message)) bytes += message.length;
      return bytes;
    };
    const up = near.reduce((sum, end) => sum + fill(end) + message.length, 0);
    const down = far.reduce((sum, end) => sum + fill(end), 0);
    expect(Math.min(up, down)).toBeGreaterThanOrEqual(16 * MiB);
    await new Promise((resolve) => setImmediate(resolve));
    const read = (ends: readonly Ends[]) =>
      ends.reduce((n, { probe }) => n + probe.receivedBytes, 0);
    expect(read(near) + read(far)).toBeLessThanOrEqual(2 * streams * message.length);

    for (const { stream } of [...near, ...far]) stream.resume();
    await expect.poll(() => [read(far), read(near)], { timeout: 20_000 }).toEqual([up, down]);
    await bed.close();
  }, 30_000);
});

/** One end of a stream and what it has received. */
interface Ends {
  readonly stream: RpcStream<Buffer>;
  readonly probe: StreamProbe;
}

async function dial(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.resume();
  await once(socket, 'connect');
  return socket;
}
