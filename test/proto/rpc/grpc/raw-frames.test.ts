/** Row F9 of the bad-input table: frames that break HTTP/2 itself. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RpcChannel } from '../../../../proto/ports/rpc.ts';
import { seededRandom } from '../../../fuzz/random.ts';
import { chat, echo } from '../raw-methods.ts';
import { deadlineMs, text } from '../rpc-bed.ts';
import { GrpcBed } from './grpc-bed.ts';
import { endHeaders, frameTypes, h2Frame, headerBlock, sendFrames } from './raw-frames.ts';

const none = Buffer.alloc(0);

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function repeated(count: number, frame: Buffer): Buffer[] {
  return Array.from({ length: count }, () => frame);
}

const request = { type: frameTypes.headers, stream: 1 };
const call = h2Frame({ ...request, flags: endHeaders }, headerBlock(chat.path));
const largeWindow = h2Frame({ type: frameTypes.windowUpdate }, number(2 ** 31 - 1));
const literal = Buffer.concat([Buffer.of(0, 1), Buffer.from('a'), Buffer.of(1), Buffer.from('b')]);

describe('a gRPC server under frames that break HTTP/2 (F9)', () => {
  let bed: GrpcBed;
  let witness: RpcChannel;

  beforeEach(async () => {
    // After some errors nghttp2 says goodbye and reads no more; the keepalive then ends the connection.
    bed = new GrpcBed({ bounds: { keepaliveMs: 100, keepaliveTimeoutMs: 100 } });
    bed.server.unary(echo, async (message) => message);
    bed.server.stream(chat, () => ({ onMessage() {}, onClose() {} }));
    await bed.start();
    witness = bed.channel();
    await witness.unary(echo, text('before'), { deadlineMs });
  });

  /** The connection that was there before still serves, and nothing is kept of the attacker. */
  afterEach(async () => {
    const answer = await witness.unary(echo, text('unharmed'), { deadlineMs });
    expect(answer.toString()).toBe('unharmed');
    await expect.poll(() => bed.server.usage()).toMatchObject({ connections: 1, calls: 0 });
    expect(bed.server.usage().heldBytes).toBe(0);
    await bed.close();
  });

  it.each<[string, readonly Buffer[]]>([
    [
      'headers that never end',
      [
        h2Frame(request, headerBlock(chat.path)),
        ...repeated(20_000, h2Frame({ type: frameTypes.continuation, stream: 1 }, literal)),
      ],
    ],
    [
      'headers that never end, in frames of no bytes',
      [
        h2Frame(request, headerBlock(chat.path)),
        ...repeated(20_000, h2Frame({ type: frameTypes.continuation, stream: 1 }, none)),
      ],
    ],
    ['a continuation of nothing', [h2Frame({ type: frameTypes.continuation, stream: 1 }, literal)]],
    ['a window that overflows', [largeWindow, largeWindow]],
    ['a window that grows by nothing', [h2Frame({ type: frameTypes.windowUpdate }, number(0))]],
    [
      'the window of a stream that never was',
      [h2Frame({ type: frameTypes.windowUpdate, stream: 99 }, number(1))],
    ],
    [
      'headers that do not decompress',
      [h2Frame({ ...request, flags: endHeaders }, Buffer.alloc(50, 0xff))],
    ],
    [
      'a frame above the size that was agreed',
      [h2Frame({ type: frameTypes.data }, none, 0xffffff)],
    ],
    ['data of no stream', [h2Frame({ type: frameTypes.data }, Buffer.of(1))]],
    ['settings of half an entry', [h2Frame({ type: frameTypes.settings }, Buffer.of(0, 1, 0))]],
    [
      'a reset of a stream that never was',
      [h2Frame({ type: frameTypes.rstStream, stream: 7 }, number(8))],
    ],
  ])('%s costs the sender its connection', async (_what, frames) => {
    await sendFrames(bed.port, frames);
  });

  it('closes the connection of a caller whose stream had begun', async () => {
    await sendFrames(bed.port, [call, largeWindow, largeWindow]);
  });

  it('stays up under random frames', async () => {
    const random = seededRandom(Number(process.env['FUZZ_SEED'] ?? 1));
    const attacks = Array.from({ length: 60 }, () => {
      const frames = Array.from({ length: 1 + random.below(20) }, () =>
        h2Frame(
          { type: random.below(11), flags: random.below(256), stream: random.below(6) },
          Buffer.from(Array.from({ length: random.below(40) }, () => random.below(256))),
        ),
      );
      // What the random frames leave open is closed by one that no connection survives.
      return [...frames, h2Frame({ type: frameTypes.data }, none, 0xffffff)];
    });
    await Promise.all(attacks.map((frames) => sendFrames(bed.port, frames)));
  });
});
