/**
 * Messages written to the HTTP/2 stream of a call itself, framed here: large parts go to the socket as
 * they are, without the copy and the allocation that grpc-js makes for each message.
 *
 * A stream is used this way only once grpc-js has sent its headers (on a client: its first message), so
 * that everything but the bytes of messages stays with the library. Where the library does not let us
 * have the stream, messages go through it.
 */
import type { RpcBytes } from '../../ports/rpc.ts';

/** What is used of an HTTP/2 stream to write to it. */
export interface DirectStream {
  readonly destroyed: boolean;
  readonly writableEnded: boolean;
  cork(): void;
  uncork(): void;
  write(bytes: Uint8Array, done?: (error?: Error | null) => void): boolean;
}

const frameHeaderBytes = 5;
/** Parts up to this size are copied together: a piece of a write costs more than copying so few bytes. */
const smallBytesMax = 4096;

/**
 * Writes a batch; `done` is called when it has left, and never if the stream fails, which grpc-js tells
 * by the status of the call. The parts must not change before.
 */
export function writeDirectly(
  stream: DirectStream,
  batch: readonly RpcBytes[],
  done: () => void,
): void {
  if (stream.destroyed || stream.writableEnded) return;
  const pieces = piecesOf(batch);
  const last = pieces.length - 1;
  stream.cork();
  for (const [index, piece] of pieces.entries()) {
    if (index < last) stream.write(piece);
    else {
      stream.write(piece, (error) => {
        // In a tick of its own: nothing may be written from within the callback of a write.
        if (error === undefined || error === null) process.nextTick(done);
      });
    }
  }
  stream.uncork();
}

/** The HTTP/2 stream behind a call of a grpc-js channel, if this grpc-js has it where 1.14 does. */
export function http2StreamOf(call: object): DirectStream | undefined {
  const retrying = child(call, 'child');
  const attempts = child(retrying, 'underlyingCalls');
  if (!Array.isArray(attempts) || attempts.length !== 1) return undefined;
  const balanced = child(attempts[0], 'call');
  const stream = child(child(balanced, 'child'), 'http2Stream');
  return isDirectStream(stream) ? stream : undefined;
}

/** True if the object has what `writeDirectly` uses. */
export function isDirectStream(stream: unknown): stream is DirectStream {
  return ['cork', 'uncork', 'write'].every((name) => typeof child(stream, name) === 'function');
}

function child(parent: unknown, name: string): unknown {
  if (typeof parent !== 'object' || parent === null) return undefined;
  return (parent as Record<string, unknown>)[name];
}

/** The frames of a batch: headers and small parts joined, large parts as they are. */
function piecesOf(batch: readonly RpcBytes[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let small: Uint8Array[] = [];
  const flush = () => {
    const [first] = small;
    if (first !== undefined) pieces.push(small.length === 1 ? first : Buffer.concat(small));
    small = [];
  };
  for (const parts of batch) {
    small.push(frameHeaderOf(parts));
    for (const part of parts) {
      if (part.length <= smallBytesMax) small.push(part);
      else {
        flush();
        pieces.push(part);
      }
    }
  }
  flush();
  return pieces;
}

function frameHeaderOf(parts: RpcBytes): Buffer {
  let bytes = 0;
  for (const part of parts) bytes += part.length;
  const header = Buffer.alloc(frameHeaderBytes);
  header.writeUInt32BE(bytes, 1);
  return header;
}
