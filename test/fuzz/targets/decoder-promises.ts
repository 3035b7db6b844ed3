/** What every decoder of a small message promises, whatever the bytes. */
import assert from 'node:assert/strict';
import { HighwaterError } from '../../../proto/model/errors.ts';

/** A decoder that answers undefined or throws INVALID_REQUEST for what it does not take. */
export interface Codec<Message> {
  decode(bytes: Buffer): Message | undefined;
  encode(message: Message): Uint8Array;
}

const refused = Symbol('refused');

/**
 * A refusal is the defined one, bytes outside the input have no effect, and what is accepted
 * survives being written and read again.
 */
export function checkDecoder<Message>(codec: Codec<Message>, input: Buffer): void {
  const outcome = outcomeOf(codec, input);
  assert.deepEqual(outcomeOf(codec, among(input, 0x81)), outcome, 'bytes outside have an effect');
  if (outcome === refused) return;
  const written = Buffer.from(codec.encode(outcome));
  assert.deepEqual(outcomeOf(codec, written), outcome, 'written again it says something else');
}

function outcomeOf<Message>(codec: Codec<Message>, input: Buffer): Message | typeof refused {
  try {
    return codec.decode(input) ?? refused;
  } catch (caught) {
    if (caught instanceof HighwaterError && caught.code === 'INVALID_REQUEST') return refused;
    throw caught;
  }
}

/** The same bytes as the middle of a larger buffer. */
function among(input: Buffer, filler: number): Buffer {
  const around = Buffer.alloc(input.length + 32, filler);
  around.set(input, 16);
  return around.subarray(16, 16 + input.length);
}
