import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeHello, type Hello, readHello } from '../../../proto/link/hello.ts';
import { nodeId } from '../../../proto/model/ids.ts';
import { testIdentity } from './link-world.ts';

const hello: Hello = {
  identity: testIdentity(7, { featureMin: 2, featureMax: 9 }),
  meantFor: nodeId(Number.MAX_SAFE_INTEGER),
  streamCreditBytes: 12_345,
};

describe('the hello', () => {
  test('is read back as it was written', () => {
    const bytes = encodeHello(hello);
    expect(readHello(bytes)).toEqual({ kind: 'hello', hello, used: bytes.length });
  });

  test('is incomplete until its last byte, and leaves what follows', () => {
    const bytes = encodeHello(hello);
    for (let length = 0; length < bytes.length; length++) {
      expect(readHello(bytes.subarray(0, length)).kind).toBe('incomplete');
    }
    expect(readHello(Buffer.concat([bytes, Buffer.from('frames')]))).toMatchObject({
      used: bytes.length,
    });
  });

  test('of a later version with more fields is read up to what is known', () => {
    const bytes = Buffer.concat([encodeHello(hello), Buffer.alloc(20, 1)]);
    bytes.writeUInt16BE(96, 6);
    expect(readHello(bytes)).toMatchObject({ kind: 'hello', hello, used: bytes.length });
  });

  test('any bytes give a verdict, never an exception', () => {
    const valid = encodeHello(hello);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1100 }), fc.nat(84), (noise, keep) => {
        const bytes = Buffer.concat([valid.subarray(0, keep), noise]);
        const reading = readHello(bytes);
        if (reading.kind === 'hello') expect(reading.used).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 1000 },
    );
  });

  test.each([
    ['node id 0', 56, Buffer.alloc(8)],
    ['a node id past 2^53', 56, Buffer.alloc(8, 0xff)],
    ['meant for node 0', 64, Buffer.alloc(8)],
    ['features upside down', 72, Buffer.from([0, 0, 0, 10])],
    ['no credit', 80, Buffer.alloc(4)],
    ['a length below the least', 6, Buffer.from([0, 75])],
    ['a length above the most', 6, Buffer.from([4, 1])],
  ])('with %s is malformed', (_what, at, patch) => {
    const bytes = encodeHello(hello);
    patch.copy(bytes, at);
    expect(readHello(bytes).kind).toBe('malformed');
  });
});
