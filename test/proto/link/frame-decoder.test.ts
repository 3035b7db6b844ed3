import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeFrameHead, frameHeadBytes, frameType } from '../../../proto/link/frame.ts';
import { FrameDecoder } from '../../../proto/link/frame-decoder.ts';
import { limits } from '../../../proto/model/limits.ts';

interface Frame {
  readonly type: number;
  readonly streamId: number;
  readonly header: Buffer;
  readonly payload: Buffer;
}

function collector() {
  const frames: Frame[] = [];
  const decoder = new FrameDecoder({
    onFrame: (type, streamId, header, payload) => {
      frames.push({ type, streamId, header, payload });
    },
  });
  return { frames, decoder };
}

const bytes = (max: number) => fc.uint8Array({ maxLength: max }).map((value) => Buffer.from(value));
const anyFrame: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({
    type: fc.constant<number>(frameType.data),
    streamId: fc.nat(0xffffffff),
    header: bytes(40),
    payload: fc.oneof(
      bytes(60),
      fc.integer({ min: 0, max: 60_000 }).map((size) => Buffer.alloc(size, size % 251)),
    ),
  }),
  fc.record({
    type: fc.constantFrom<number>(1, 3, 4, 5),
    streamId: fc.nat(0xffffffff),
    header: bytes(40),
    payload: fc.constant(Buffer.alloc(0)),
  }),
);

function encode(frames: readonly Frame[]): Buffer {
  return Buffer.concat(
    frames.flatMap(({ type, streamId, header, payload }) => [
      encodeFrameHead(type, streamId, header, payload.length),
      payload,
    ]),
  );
}

describe('the frame decoder', () => {
  test('gives the same frames for any chunking, from reused chunks and through its space', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(
        fc.array(anyFrame, { maxLength: 12 }),
        sizes,
        fc.boolean(),
        (sent, cuts, direct) => {
          const { frames, decoder } = collector();
          const stream = encode(sent);
          const scratch = Buffer.alloc(70_000);
          let at = 0;
          for (let turn = 0; at < stream.length; turn++) {
            const space = direct ? decoder.space() : undefined;
            const target = space ?? scratch;
            const cut = cuts[turn % cuts.length] ?? 1;
            const want = Math.max(cut, Math.ceil(stream.length / 300)); // Bounded work.
            const count = stream.copy(target, 0, at, at + Math.min(want, target.length));
            at += count;
            const fault =
              space === undefined
                ? decoder.push(scratch.subarray(0, count))
                : decoder.filled(count);
            expect(fault).toBeUndefined();
            scratch.fill(0xee, 0, count);
          }
          expect(encode(frames).equals(stream)).toBe(true);
          expect(frames.length).toBe(sent.length);
        },
      ),
      { numRuns: 150 },
    );
  });

  test('survives any bytes: frames within the limits, or a fault', () => {
    fc.assert(
      fc.property(fc.array(bytes(200), { maxLength: 10 }), (chunks) => {
        const { frames, decoder } = collector();
        for (const chunk of chunks) if (decoder.push(chunk) !== undefined) break;
        for (const frame of frames) {
          expect(frame.type).toBeGreaterThanOrEqual(1);
          expect(frame.type).toBeLessThanOrEqual(5);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('survives a damaged byte anywhere in a valid stream', () => {
    const chosen = fc.tuple(
      fc.array(anyFrame, { minLength: 1, maxLength: 4 }),
      fc.nat(),
      fc.nat(255),
    );
    fc.assert(
      fc.property(chosen, ([sent, position, value]) => {
        const stream = encode(sent);
        stream[position % stream.length] = value;
        const { frames, decoder } = collector();
        decoder.push(stream);
        const read = frames.reduce((sum, frame) => sum + frame.payload.length, 0);
        expect(read).toBeLessThanOrEqual(stream.length);
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    ['unknown-type', [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]],
    ['unknown-type', [6, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]],
    ['header-too-large', [2, 0x10, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0]],
    ['payload-too-large', [2, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 1]],
    ['payload-too-large', [2, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff]],
    ['payload-not-allowed', [3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]],
  ])('finds %s in the fixed part alone, before any memory is taken', (fault, head) => {
    const { frames, decoder } = collector();
    expect(decoder.push(Buffer.from(head))).toBe(fault);
    expect(frames).toEqual([]);
  });

  test('takes a frame of exactly the largest header and payload', () => {
    const { frames, decoder } = collector();
    const header = Buffer.alloc(limits.linkHeaderBytesMax, 1);
    const head = encodeFrameHead(frameType.data, 7, header, limits.linkFrameBytesMax);
    expect(decoder.push(head)).toBeUndefined();
    expect(decoder.push(Buffer.alloc(limits.linkFrameBytesMax, 2))).toBeUndefined();
    expect(frames.map(({ payload }) => payload.length)).toEqual([limits.linkFrameBytesMax]);
    expect(head.length).toBe(frameHeadBytes + limits.linkHeaderBytesMax);
  });

  test('hands out nothing after it was stopped, not even from the same chunk', () => {
    const frames: number[] = [];
    const decoder: FrameDecoder = new FrameDecoder({
      onFrame: (_type, streamId) => {
        frames.push(streamId);
        decoder.stop();
      },
    });
    const one = encodeFrameHead(frameType.heartbeat, 1, Buffer.alloc(0), 0);
    decoder.push(Buffer.concat([one, one]));
    expect(frames).toEqual([1]);
  });
});
