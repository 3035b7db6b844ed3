import { PassThrough } from 'node:stream';
import { Channel, ChannelCredentials, Metadata } from '@grpc/grpc-js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { http2StreamOf, writeDirectly } from '../../../../proto/rpc/grpc/direct-write.ts';
import { Rope } from '../../../../proto/rpc/grpc/rope.ts';
import { chat } from '../raw-methods.ts';
import { GrpcBed } from './grpc-bed.ts';
import { frame } from './raw-client.ts';

const part = fc.oneof(
  fc.uint8Array({ maxLength: 10 }),
  fc.nat(9_000).map((bytes) => new Uint8Array(bytes).fill(bytes)),
);
const batch = fc.array(fc.array(part, { maxLength: 4 }), { minLength: 1, maxLength: 5 });

/** What gRPC says the bytes of a batch are. */
function expected(messages: readonly (readonly Uint8Array[])[]): Buffer {
  return Buffer.concat(messages.map((parts) => frame(Buffer.concat(parts))));
}

describe('the framing of a batch', () => {
  it('by direct writes is what gRPC prescribes, and done is called once, later', async () => {
    await fc.assert(
      fc.asyncProperty(batch, async (messages) => {
        const stream = new PassThrough();
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        let doneCount = 0;
        await new Promise<void>((resolve) => {
          writeDirectly(stream, messages, () => {
            doneCount++;
            resolve();
          });
          expect(doneCount).toBe(0);
        });
        stream.destroy();
        expect(Buffer.concat(chunks).equals(expected(messages))).toBe(true);
        expect(doneCount).toBe(1);
      }),
    );
  });

  it('by ropes is what gRPC prescribes', () => {
    fc.assert(
      fc.property(batch, (messages) => {
        const rope = new Rope(messages);
        const framed = Buffer.alloc(rope.length + 5);
        framed.writeUInt32BE(rope.length, 1);
        expect(rope.copy(framed, 5)).toBe(rope.length);
        expect(framed.equals(expected(messages))).toBe(true);
      }),
    );
  });

  it('a rope refuses a frame that it does not fill', () => {
    const rope = new Rope([[Buffer.from('abc')]]);
    expect(() => rope.copy(Buffer.alloc(9), 5)).toThrow('must hold');
  });

  it('large parts leave as the very buffers that were given', () => {
    const written: Uint8Array[] = [];
    const stream = new PassThrough();
    const write = stream.write.bind(stream);
    stream.write = ((bytes: Uint8Array, done?: () => void) => {
      written.push(bytes);
      return write(bytes, done);
    }) as typeof stream.write;
    const large = Buffer.alloc(100_000, 1);
    writeDirectly(stream, [[Buffer.from('head'), large]], () => {});
    expect(written[1]).toBe(large);
    stream.destroy();
  });

  it('this grpc-js lets a client have the stream of a call once its first message has left', async () => {
    const bed = new GrpcBed();
    bed.server.stream(chat, () => ({ onMessage() {}, onClose() {} }));
    await bed.start();
    const credentials = ChannelCredentials.createInsecure();
    const channel = new Channel(`127.0.0.1:${bed.port}`, credentials, {
      'grpc.enable_retries': 0,
      'grpc.per_rpc_retry_buffer_size': -1,
    });
    const call = channel.createCall(chat.path, Number.POSITIVE_INFINITY, null, null, null);
    const ignore = { onReceiveMetadata() {}, onReceiveMessage() {}, onReceiveStatus() {} };
    call.start(new Metadata(), ignore);
    expect(http2StreamOf(call)).toBeUndefined();
    await new Promise<void>((resolve) => {
      call.sendMessageWithContext({ callback: () => resolve() }, Buffer.from('first'));
    });
    expect(http2StreamOf(call)).toBeDefined();
    channel.close();
    await bed.close();
  });
});
