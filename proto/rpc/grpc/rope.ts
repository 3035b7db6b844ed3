/**
 * Messages in parts that grpc-js frames with one copy instead of two.
 *
 * grpc-js makes a frame by `allocUnsafe(message.length + 5)`, writing flag and length, and calling
 * `message.copy(frame, 5)`. A rope is no Buffer but has what is called: `length`, `byteLength`, `copy`.
 * It may hold several messages: then it writes the length of the first and the headers of the others
 * into the frame by itself, so that one write of the library carries them all.
 *
 * | bytes | of each message |
 * |---|---|
 * | 1 | compression flag, 0 |
 * | 4 | length, big endian |
 * | n | the message |
 *
 * Invariant: `copy` checks that it was called the way it relies on, and throws otherwise. Whether the
 * library at hand calls it so is found out once, by `rope-support.ts`.
 */
import { invariant } from '../../model/invariant.ts';
import type { RpcBytes } from '../../ports/rpc.ts';

const headerBytes = 5;

export class Rope {
  /** Both are read by grpc-js, and mean the same. */
  readonly length: number;
  readonly byteLength: number;
  readonly #batch: readonly RpcBytes[];

  /** At least one message. */
  constructor(batch: readonly RpcBytes[]) {
    this.#batch = batch;
    let bytes = (batch.length - 1) * headerBytes;
    for (const parts of batch) bytes += lengthOf(parts);
    this.length = bytes;
    this.byteLength = bytes;
  }

  /** Fills a frame; the header of the first message precedes `at`. Returns the bytes copied. */
  copy(frame: Buffer, at: number): number {
    invariant(
      at === headerBytes && frame.length === this.length + headerBytes,
      'a frame has room for its header and for the rope, and nothing else',
    );
    let position = 0;
    for (const parts of this.#batch) {
      frame[position] = 0;
      frame.writeUInt32BE(lengthOf(parts), position + 1);
      position += headerBytes;
      for (const part of parts) {
        frame.set(part, position);
        position += part.length;
      }
    }
    return this.length;
  }
}

function lengthOf(parts: RpcBytes): number {
  let bytes = 0;
  for (const part of parts) bytes += part.length;
  return bytes;
}
