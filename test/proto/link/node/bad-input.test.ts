/** What strangers and broken peers can send to the peer port, and what it does to the others. */
import net from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeFrameHead, encodeOpen, frameType } from '../../../../proto/link/frame.ts';
import { encodeHello } from '../../../../proto/link/hello.ts';
import { nodeId } from '../../../../proto/model/ids.ts';
import { limits } from '../../../../proto/model/limits.ts';
import {
  type Accepted,
  acceptAll,
  type LinkWorld,
  recorder,
  testIdentity,
  type WorldNode,
} from '../link-world.ts';
import { createTcpWorld, until } from '../tcp-world.ts';

const none = new Uint8Array(0);
const hello = encodeHello({
  identity: testIdentity(66),
  meantFor: nodeId(2),
  streamCreditBytes: limits.linkStreamCreditBytes,
});
const data = (streamId: number, header: Uint8Array, payloadBytes: number): Buffer =>
  encodeFrameHead(frameType.data, streamId, header, payloadBytes);

describe('bad input on the peer port', () => {
  let world: LinkWorld;
  let target: WorldNode;
  let accepted: Accepted[];
  let witness: { send(header: Uint8Array): boolean };
  const sockets: net.Socket[] = [];

  beforeEach(async () => {
    world = createTcpWorld();
    const good = await world.node(1);
    target = await world.node(2, { timings: { helloMs: 150 } });
    accepted = acceptAll(target, 'control');
    witness = good.endpoint.open(target.address, 'control', recorder());
    await world.until(() => accepted.length === 1);
  });

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await world.close();
  });

  /** Connects, sends, and resolves with what came back once the other side has closed. */
  function attack(parts: readonly Uint8Array[]): Promise<Buffer> {
    return new Promise((resolve) => {
      const got: Buffer[] = [];
      const socket = net.connect(target.address.port, '127.0.0.1', () => {
        for (const part of parts) socket.write(part);
      });
      sockets.push(socket);
      socket.on('data', (chunk: Buffer) => got.push(chunk));
      socket.on('error', () => {});
      socket.on('close', () => resolve(Buffer.concat(got)));
    });
  }

  /** The link that was there before still works. */
  async function expectUnharmed(): Promise<void> {
    const before = accepted[0]?.seen.frames.length ?? 0;
    witness.send(Buffer.from('still here'));
    await until(() => accepted[0]?.seen.frames.length === before + 1);
    expect(accepted[0]?.seen.closed).toEqual([]);
  }

  const lastLine = () => target.lines.findLast((line) => line.fields['detail'] !== undefined);

  test('an HTTP client is closed at its first byte and gets nothing back', async () => {
    const answer = await attack([Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')]);
    expect(answer.length).toBe(0);
    expect(lastLine()?.fields['detail']).toContain('GET / HTTP/1.1');
    await expectUnharmed();
  });

  test('a port scanner that says nothing is closed when the hello is overdue', async () => {
    expect((await attack([])).length).toBe(0);
    expect(lastLine()?.fields['detail']).toContain('no hello in time');
    await expectUnharmed();
  });

  test('a hello that never ends is closed when it is overdue', async () => {
    await attack([hello.subarray(0, 40)]);
    expect(lastLine()?.fields['detail']).toContain('no hello in time');
    await expectUnharmed();
  });

  test('a TLS client is told apart from a peer', async () => {
    await attack([Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01])]);
    expect(lastLine()?.fields['detail']).toContain('not a link');
    await expectUnharmed();
  });

  test('another wire version gets this hello back and is closed', async () => {
    const other = Buffer.from(hello);
    other.writeUInt16BE(9, 4);
    const answer = await attack([other]);
    expect(answer.subarray(0, 4).toString()).toBe('HWPL');
    expect(lastLine()?.fields).toMatchObject({ reason: 'mismatch', detail: 'wire version 9' });
    await expectUnharmed();
  });

  test.each<[string, string, readonly Uint8Array[]]>([
    ['garbage after the hello', 'unknown-type', [Buffer.alloc(100, 0xaa)]],
    ['an oversized payload', 'payload-too-large', [data(1, none, 0xffffffff)]],
    ['a frame of a stream that never was', 'no stream 5', [data(5, none, 0)]],
    ['a stream of an unknown kind', 'unknown kind', [encodeFrameHead(1, 1, Uint8Array.of(99), 0)]],
    ['a stream id out of order', 'stream 3 after', [encodeOpen(3, 'control')]],
    ['a malformed credit frame', 'credit', [encodeFrameHead(3, 0, Buffer.alloc(7), 0)]],
    [
      'a malformed close frame',
      'close',
      [encodeOpen(1, 'control'), encodeFrameHead(4, 1, none, 0)],
    ],
  ])('%s costs the sender its link and nobody else anything', async (_what, detail, frames) => {
    await attack([hello, ...frames]);
    expect(lastLine()?.fields['reason']).toBe('protocol');
    expect(lastLine()?.fields['detail']).toContain(detail);
    await expectUnharmed();
  });

  test('a flood of streams is cut off at the limit', async () => {
    const opens = Array.from({ length: limits.linkStreamsMax + 1 }, (_, index) =>
      encodeOpen(index + 1, 'control'),
    );
    await attack([hello, ...opens]);
    expect(lastLine()?.fields['detail']).toContain('too many streams');
    await until(() => accepted.slice(1).every(({ seen }) => seen.closed.length === 1));
    expect(accepted.length).toBe(1 + limits.linkStreamsMax);
    await expectUnharmed();
  });

  test('a sender that ignores its credit is cut off at it', async () => {
    const stuck = acceptAll(target, 'replication', { consume: false });
    const piece = Buffer.alloc(1024 * 1024);
    const pieces = limits.linkStreamCreditBytes / piece.length;
    const frames = Array.from({ length: pieces + 4 }, () => [
      data(1, none, piece.length),
      piece,
    ]).flat();
    await attack([hello, encodeOpen(1, 'replication'), ...frames]);
    expect(lastLine()?.fields['detail']).toContain('more bytes than there was credit for');
    expect(stuck[0]?.seen.frames.length).toBe(pieces);
    await expectUnharmed();
  });

  test('a truncated frame is dropped with its connection', async () => {
    const socket = net.connect(target.address.port, '127.0.0.1', () => {
      socket.write(Buffer.concat([hello, encodeOpen(1, 'control'), data(1, none, 1_000)]));
      socket.end(Buffer.alloc(500));
    });
    sockets.push(socket);
    await until(() => accepted[1]?.seen.closed.length === 1);
    expect(accepted[1]?.seen.frames).toEqual([]);
    expect(accepted[1]?.seen.closed).toEqual(['closed']);
    await expectUnharmed();
  });

  test('many strangers at once fill neither the log nor the node', async () => {
    await Promise.all(
      Array.from({ length: 100 }, () => attack([Buffer.from('GET / HTTP/1.1\r\n')])),
    );
    expect(target.lines.filter((line) => line.event === 'link-refused').length).toBe(1);
    await expectUnharmed();
  });
});
