/**
 * Cuts a stream of byte chunks into frames, wherever the chunks happen to end.
 *
 * Invariants: (1) the frames do not depend on the chunking; (2) every byte of a payload is copied at
 * most once, and not at all if it was read straight into `space`; (3) lengths are checked before
 * memory is taken; (4) header and payload are buffers of their own, so that keeping one keeps no
 * chunk alive and chunks may be reused.
 */
import { limits } from '../model/limits.ts';
import { frameHeadBytes, frameType } from './frame.ts';

/** Why the bytes are not frames. The decoder is of no use after it. */
export type FrameFault =
  | 'unknown-type'
  | 'header-too-large'
  | 'payload-too-large'
  | 'payload-not-allowed';

export interface FrameSink {
  onFrame(type: number, streamId: number, header: Buffer, payload: Buffer): void;
}

const nothing = Buffer.alloc(0);
/** A shorter rest is read together with the frames that follow it. */
const directBytesMin = 16 * 1024;

export class FrameDecoder {
  readonly #sink: FrameSink;
  #isStopped = false;
  /** The next byte of the chunk that is being read. */
  #at = 0;
  /** The fixed part of a frame that a chunk boundary divides; `#headFilled` bytes of it are here. */
  readonly #head = Buffer.alloc(frameHeadBytes);
  #headFilled = 0;
  /** True between a complete fixed part and the end of its frame. */
  #inBody = false;
  #type = 0;
  #streamId = 0;
  #header: Buffer = nothing;
  #headerFilled = 0;
  #payloadBytes = 0;
  /** Set once the payload has begun; `#payloadFilled` bytes of it are here. */
  #payload: Buffer | undefined;
  #payloadFilled = 0;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** No frame is handed out any more, not even from the chunk that is being read. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Reads one chunk and hands out every frame that it completes. */
  push(chunk: Buffer): FrameFault | undefined {
    this.#at = 0;
    while (!this.#isStopped) {
      if (!this.#inBody) {
        const fault = this.#readHead(chunk);
        if (fault !== undefined) return fault;
        if (!this.#inBody) return undefined;
      }
      if (!this.#fillHeader(chunk)) return undefined;
      const payload = this.#takePayload(chunk);
      if (payload === undefined) return undefined;
      const header = this.#header;
      this.#reset();
      this.#sink.onFrame(this.#type, this.#streamId, header, payload);
    }
    return undefined;
  }

  /** The rest of a payload that is worth a read of its own. */
  space(): Buffer | undefined {
    const left = this.#payloadBytes - this.#payloadFilled;
    if (this.#isStopped || this.#payload === undefined || left < directBytesMin) return undefined;
    return this.#payload.subarray(this.#payloadFilled);
  }

  /** So many bytes were put into the space. */
  filled(count: number): FrameFault | undefined {
    this.#payloadFilled += count;
    return this.push(nothing);
  }

  /** The usual head lies in one chunk and is read there; one that a boundary divides is gathered. */
  #readHead(chunk: Buffer): FrameFault | undefined {
    const at = this.#at;
    if (this.#headFilled === 0 && chunk.length - at >= frameHeadBytes) {
      this.#at = at + frameHeadBytes;
      return this.#beginBody(chunk, at);
    }
    const count = chunk.copy(this.#head, this.#headFilled, at);
    this.#headFilled += count;
    this.#at = at + count;
    return this.#headFilled === frameHeadBytes ? this.#beginBody(this.#head, 0) : undefined;
  }

  #beginBody(head: Buffer, at: number): FrameFault | undefined {
    this.#type = head.readUInt8(at);
    const headerBytes = head.readUIntBE(at + 1, 3);
    this.#streamId = head.readUInt32BE(at + 4);
    this.#payloadBytes = head.readUInt32BE(at + 8);
    if (this.#type < frameType.open || this.#type > frameType.heartbeat) return 'unknown-type';
    if (headerBytes > limits.linkHeaderBytesMax) return 'header-too-large';
    if (this.#payloadBytes > limits.linkFrameBytesMax) return 'payload-too-large';
    if (this.#type !== frameType.data && this.#payloadBytes > 0) return 'payload-not-allowed';
    this.#header = headerBytes === 0 ? nothing : Buffer.allocUnsafe(headerBytes);
    this.#inBody = true;
    return undefined;
  }

  #fillHeader(chunk: Buffer): boolean {
    if (this.#header.length === 0) return true;
    const count = chunk.copy(this.#header, this.#headerFilled, this.#at);
    this.#headerFilled += count;
    this.#at += count;
    return this.#headerFilled === this.#header.length;
  }

  /** The whole payload once its last byte is here. */
  #takePayload(chunk: Buffer): Buffer | undefined {
    if (this.#payloadBytes === 0) return nothing;
    this.#payload ??= Buffer.allocUnsafe(this.#payloadBytes);
    const count = chunk.copy(this.#payload, this.#payloadFilled, this.#at);
    this.#payloadFilled += count;
    this.#at += count;
    return this.#payloadFilled === this.#payloadBytes ? this.#payload : undefined;
  }

  #reset(): void {
    this.#inBody = false;
    this.#headFilled = 0;
    this.#header = nothing;
    this.#headerFilled = 0;
    this.#payload = undefined;
    this.#payloadFilled = 0;
  }
}
