/** Rows F1 to F12 of the bad-input table, as far as they reach the gRPC layer. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chat, echo } from '../raw-methods.ts';
import { deadlineMs, text } from '../rpc-bed.ts';
import { StreamProbe } from '../stream-probe.ts';
import { GrpcBed } from './grpc-bed.ts';
import { endOf, frame, RawClient } from './raw-client.ts';

describe('a gRPC server', () => {
  let bed: GrpcBed;
  let raw: RawClient;

  beforeEach(async () => {
    bed = new GrpcBed({ bounds: { unaryDeadlineMsMax: 300 } });
    bed.server.unary(echo, async (request) => request);
    bed.server.stream(chat, (stream) => ({
      onMessage: (message) => stream.send(message),
      onClose() {},
    }));
    await bed.start();
    raw = new RawClient(bed.port);
  });

  /** Whatever a test has done, another client is served and nothing is held. */
  afterEach(async () => {
    const answer = await bed.channel().unary(echo, text('still here'), { deadlineMs });
    expect(answer.toString()).toBe('still here');
    await raw.close();
    await bed.close();
    expect(bed.server.usage()).toMatchObject({ calls: 0, heldBytes: 0 });
  });

  it('refuses a length prefix above the limit before it is buffered (F1)', async () => {
    const end = await raw.call(echo.path, frame(text('x'), 0, 0xffff_ffff));
    expect(end.grpcStatus).toBe('8');
    expect(bed.server.usage().heldBytes).toBe(0);
  });

  it('stops inflating a compressed message at the limit (F2)', async () => {
    // With the deadline of the others a busy machine may not come as far as the limit.
    const patient = new GrpcBed();
    patient.server.unary(echo, async (request) => request);
    await patient.start();
    const sender = new RawClient(patient.port);
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    const end = await sender.call(echo.path, frame(bomb, 1), { 'grpc-encoding': 'gzip' });
    expect(end.grpcStatus).toBe('8');
    await sender.close();
    await patient.close();
  });

  it('refuses garbage in place of gzip (F3)', async () => {
    const whole = gzipSync(Buffer.from('some text'));
    for (const body of [text('garbage'), whole.subarray(0, whole.length - 4)]) {
      const end = await raw.call(echo.path, frame(body, 1), { 'grpc-encoding': 'gzip' });
      expect(end.grpcStatus).toBe('13');
    }
  });

  it('takes an unknown flag or a compressed one without an encoding as plain bytes (F4)', async () => {
    for (const flag of [1, 7]) {
      const end = await raw.call(echo.path, frame(text('plain'), flag));
      expect([end.grpcStatus, end.bytes.subarray(5).toString()]).toEqual(['0', 'plain']);
    }
  });

  it('refuses a unary call with no, with two and with half a message (F5)', async () => {
    const none = await raw.call(echo.path, Buffer.alloc(0));
    const two = await raw.call(echo.path, Buffer.concat([frame(text('a')), frame(text('b'))]));
    const half = await raw.call(echo.path, frame(text('abc'), 0, 100));
    expect([none.grpcStatus, two.grpcStatus, half.grpcStatus]).toEqual(['3', '3', '3']);
  });

  it('ends a request that is never finished by its own deadline (F6)', async () => {
    const stream = raw.open(echo.path);
    const ended = endOf(stream);
    stream.write(frame(text('abc'), 0, 1_000_000));
    expect((await ended).grpcStatus).toBe('4');
  });

  it('keeps its own deadline where the caller allows more (F6)', async () => {
    const stream = raw.open(echo.path, { 'grpc-timeout': '3H' });
    expect((await endOf(stream)).grpcStatus).toBe('4');
  });

  it('has no effect of a client that resets its streams as fast as it can (F8)', async () => {
    for (let index = 0; index < 3_000 && !raw.session.destroyed; index++) {
      raw.open(echo.path).close(8);
      if (index % 100 === 99) await new Promise((resolve) => setImmediate(resolve));
    }
  });

  it('refuses what is no gRPC: another content type, another path, an odd timeout (F10)', async () => {
    const html = await raw.call(echo.path, text('{}'), { 'content-type': 'text/html' });
    expect(html.httpStatus).toBe(415);
    for (const path of ['/__proto__', '/../etc/passwd', '/test.v1.Raw/', '/a/b/c', '/toString']) {
      expect((await raw.call(path, frame(text('x')))).grpcStatus).toBe('12');
    }
    const timeout = await raw.call(echo.path, frame(text('x')), { 'grpc-timeout': 'banana' });
    expect(timeout.grpcStatus).toBe('13');
  });

  it('survives huge headers and binary headers that are no base64 (F10)', async () => {
    const large = await raw.call(echo.path, frame(text('x')), { 'x-large': 'a'.repeat(40_000) });
    expect(large.grpcStatus).toBe('0');
    const garbage = await raw.call(echo.path, frame(text('x')), { 'x-odd-bin': '!!!' });
    expect(garbage.grpcStatus).toBe('0');
    const tooLarge = new RawClient(bed.port);
    const refused = await tooLarge.call(echo.path, frame(text('x')), { x: 'a'.repeat(300_000) });
    expect(refused.grpcStatus).toBeUndefined();
    await tooLarge.close();
  });

  it('answers bytes that do not decode with INVALID_ARGUMENT, on streams as well (F11)', async () => {
    const unary = await raw.call(echo.path, frame(Buffer.from([0xff])));
    const stream = await raw.call(chat.path, frame(Buffer.from([0xff])));
    expect([unary.grpcStatus, stream.grpcStatus]).toEqual(['3', '3']);
  });

  it('answers random bytes in the standard services as well, and stays up (F11)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('/grpc.health.v1.Health/Check', '/grpc.health.v1.Health/Watch', chat.path),
        fc.uint8Array({ maxLength: 40 }),
        async (path, garbage) => {
          const stream = raw.open(path);
          const ended = endOf(stream);
          stream.write(frame(Buffer.from(garbage)));
          stream.end();
          // A watch of health ends only when the server does or its caller leaves.
          if (path.endsWith('Watch')) setImmediate(() => stream.close(8));
          const { grpcStatus } = await ended;
          expect([undefined, '0', '3', '5']).toContain(grpcStatus);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('closes the connection of an HTTP/1 client and of random bytes', async () => {
    for (const bytes of ['GET / HTTP/1.1\r\nHost: x\r\n\r\n', '\u0000\u0001\u0002'.repeat(100)]) {
      const socket = connect(bed.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.resume();
      socket.write(bytes);
      await once(socket, 'close');
    }
  });

  it('lets a caller go that resets a stream in the middle of a message', async () => {
    const stream = raw.open(chat.path);
    await once(stream, 'response');
    stream.write(frame(Buffer.alloc(1000), 0, 500_000));
    await new Promise((resolve) => setImmediate(resolve));
    stream.close(8);
    await endOf(stream);
  });

  it('serves a stream beside one whose caller does not read (F6)', async () => {
    const slow = raw.open(chat.path);
    slow.pause();
    slow.write(frame(Buffer.alloc(900_000, 1)));
    slow.write(frame(Buffer.alloc(900_000, 1)));
    const probe = new StreamProbe();
    const stream = bed.channel().stream(chat, probe);
    for (let index = 0; index < 50; index++) stream.send(text(String(index)));
    await probe.until(() => probe.received.length === 50);
    stream.end();
    expect(await probe.closed).toBeUndefined();
  });
});
