/** The log of one process: one `writev` in flight, everything else the next, and one fdatasync for all that waits. */
import * as files from 'node:fs';
import { nextBatch } from '../../proto/wire/batch-scan.ts';
import type { VerifyAnswer } from './requests.ts';

const writeBytesMax = 8 * 1024 * 1024;
const writeBuffersMax = 512;

export class BareFile {
  readonly #fd: number;
  readonly #flush: 'os' | 'ack';
  readonly #onStored: (batches: number) => void;
  readonly #pending: Buffer[] = [];
  #position = 0;
  #written = 0;
  #stored = 0;
  #isWriting = false;
  #isFlushing = false;

  /** `onStored` is told how many batches are stored since the file was opened. */
  constructor(path: string, flush: 'os' | 'ack', onStored: (batches: number) => void) {
    this.#fd = files.openSync(path, 'w');
    this.#flush = flush;
    this.#onStored = onStored;
  }

  append(batch: Buffer): void {
    this.#pending.push(batch);
    if (!this.#isWriting) {
      this.#isWriting = true;
      setImmediate(() => this.#write());
    }
  }

  close(): void {
    files.closeSync(this.#fd);
  }

  #write(): void {
    const group = this.#takeGroup();
    if (group.length === 0) {
      this.#isWriting = false;
      return;
    }
    files.writev(this.#fd, group, this.#position, (error, bytes) => {
      if (error !== null) throw error;
      this.#position += bytes;
      this.#written += group.length;
      if (this.#flush === 'os') this.#onStored(this.#written);
      else this.#sync();
      this.#write();
    });
  }

  #takeGroup(): Buffer[] {
    let bytes = 0;
    let count = 0;
    for (const batch of this.#pending) {
      if (count === writeBuffersMax || (count > 0 && bytes + batch.length > writeBytesMax)) break;
      bytes += batch.length;
      count++;
    }
    return this.#pending.splice(0, count);
  }

  #sync(): void {
    if (this.#isFlushing || this.#stored === this.#written) return;
    this.#isFlushing = true;
    const upTo = this.#written;
    files.fdatasync(this.#fd, (error) => {
      if (error !== null) throw error;
      this.#isFlushing = false;
      this.#stored = upTo;
      this.#onStored(upTo);
      this.#sync();
    });
  }
}

/** Reads a file of batches from its start and compares every checksum. */
export function verifyFile(path: string): VerifyAnswer {
  const fd = files.openSync(path, 'r');
  const piece = Buffer.allocUnsafeSlow(16 * 1024 * 1024);
  let batches = 0;
  let bytes = 0;
  let damaged = 0;
  let filled = 0;
  for (;;) {
    const count = files.readSync(fd, piece, filled, piece.length - filled, null);
    filled += count;
    let at = 0;
    for (let step = nextBatch(piece, 0, filled); step.kind !== 'end' && step.kind !== 'torn'; ) {
      if (step.kind === 'damaged') return { batches, bytes, damaged: damaged + 1 };
      batches++;
      at += step.byteLength;
      step = nextBatch(piece, at, filled);
    }
    bytes += at;
    piece.copyWithin(0, at, filled);
    filled -= at;
    if (count === 0) break;
  }
  files.closeSync(fd);
  if (filled > 0) damaged++;
  return { batches, bytes, damaged };
}
