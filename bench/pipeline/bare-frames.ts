/** Plain sockets with frames: four bytes of length, then a batch. A batch is read straight to where it stays. */
import net from 'node:net';

const headBytes = 4;
const scratchBytes = 64 * 1024;
const directBytesMin = 16 * 1024;

/** Sends one batch. */
export function sendFrame(socket: net.Socket, batch: Buffer): void {
  const head = Buffer.allocUnsafe(headBytes);
  head.writeUInt32BE(batch.length, 0);
  socket.cork();
  socket.write(head);
  socket.write(batch);
  socket.uncork();
}

/** Dials and hands out every batch that comes. */
export function dialFrames(port: number, onBatch: (batch: Buffer) => void): net.Socket {
  const reader = new FrameReader(onBatch);
  const scratch = Buffer.allocUnsafeSlow(scratchBytes);
  let direct: Buffer | undefined;
  return net.connect({
    port,
    host: '127.0.0.1',
    noDelay: true,
    onread: {
      buffer: () => {
        direct = reader.space();
        return direct ?? scratch;
      },
      callback: (count) => {
        if (direct === undefined) reader.push(scratch.subarray(0, count));
        else reader.filled(count);
        return true;
      },
    },
  });
}

class FrameReader {
  readonly #onBatch: (batch: Buffer) => void;
  readonly #head = Buffer.alloc(headBytes);
  #headFilled = 0;
  #batch: Buffer | undefined;
  #batchFilled = 0;

  constructor(onBatch: (batch: Buffer) => void) {
    this.#onBatch = onBatch;
  }

  space(): Buffer | undefined {
    if (this.#batch === undefined) return undefined;
    const left = this.#batch.length - this.#batchFilled;
    return left < directBytesMin ? undefined : this.#batch.subarray(this.#batchFilled);
  }

  filled(count: number): void {
    this.#batchFilled += count;
    this.#finish();
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#batch === undefined) {
        const taken = chunk.copy(this.#head, this.#headFilled, at);
        this.#headFilled += taken;
        at += taken;
        if (this.#headFilled < headBytes) return;
        this.#batch = Buffer.allocUnsafe(this.#head.readUInt32BE(0));
      }
      const taken = chunk.copy(this.#batch, this.#batchFilled, at);
      this.#batchFilled += taken;
      at += taken;
      this.#finish();
    }
  }

  #finish(): void {
    const batch = this.#batch;
    if (batch === undefined || this.#batchFilled < batch.length) return;
    this.#batch = undefined;
    this.#batchFilled = 0;
    this.#headFilled = 0;
    this.#onBatch(batch);
  }
}
