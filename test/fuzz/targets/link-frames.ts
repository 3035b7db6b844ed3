import assert from 'node:assert/strict';
import {
  encodeClose,
  encodeCredit,
  encodeFrameHead,
  encodeOpen,
  frameType,
  heartbeatFrame,
  readClose,
  readCredit,
  readOpen,
} from '../../../proto/link/frame.ts';
import { FrameDecoder } from '../../../proto/link/frame-decoder.ts';
import { seededRandom } from '../random.ts';
import type { FuzzTarget } from '../target.ts';

const data = (header: string, payload: Buffer): Buffer =>
  Buffer.concat([encodeFrameHead(frameType.data, 7, Buffer.from(header), payload.length), payload]);

/** The frames of a link. The first four bytes of an input choose how it is cut into chunks. */
export const linkFramesTarget: FuzzTarget = {
  name: 'link-frames',
  async seeds() {
    const small = [encodeOpen(7, 'raft'), data('h', Buffer.from('payload')), heartbeatFrame];
    const grants = encodeCredit([
      { streamId: 7, bytes: 100 },
      { streamId: 9, bytes: 2 ** 32 - 1 },
    ]);
    return [
      Buffer.concat([Buffer.of(0, 0, 0, 1), ...small, encodeClose(7, 'closed')]),
      Buffer.concat([Buffer.of(0, 0, 0, 2), grants, data('', Buffer.alloc(0)), heartbeatFrame]),
      Buffer.concat([Buffer.of(0, 0, 0, 3), data('large', Buffer.alloc(40_000, 5)), grants]),
    ];
  },
  check(input) {
    if (input.length < 4) return;
    const bytes = input.subarray(4);
    const whole = readFrames([bytes]);
    assert.deepEqual(readFrames(chunks(bytes, input.readUInt32BE())), whole, 'chunking matters');
    assert.ok(
      bytes.subarray(0, whole.written.length).equals(whole.written),
      'a frame is its bytes',
    );
  },
};

interface Reading {
  readonly fault: string | undefined;
  /** The frames that were read, written again. */
  readonly written: Buffer;
}

/** Reads chunks as a connection does: straight into the decoder's space where it asks for it. */
function readFrames(pieces: readonly Buffer[]): Reading {
  const written: Buffer[] = [];
  const decoder = new FrameDecoder({
    onFrame(type, streamId, header, payload) {
      if (type === frameType.open) readOpen(header);
      if (type === frameType.close) readClose(header);
      if (type === frameType.credit) readCredit(header);
      written.push(encodeFrameHead(type, streamId, header, payload.length), payload);
    },
  });
  let fault: string | undefined;
  for (const piece of pieces) {
    let rest = piece;
    for (let space = decoder.space(); space !== undefined; space = decoder.space()) {
      const count = rest.copy(space);
      if (count === 0) break;
      rest = rest.subarray(count);
      fault ??= decoder.filled(count);
    }
    fault ??= decoder.push(rest);
    if (fault !== undefined) break;
  }
  return { fault, written: Buffer.concat(written) };
}

function chunks(bytes: Buffer, seed: number): Buffer[] {
  const random = seededRandom(seed);
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = 1 + random.below(random.below(3) === 0 ? 20_000 : 12);
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}
