/**
 * One direction of a connection through a proxy: what is read from one socket is written to the other,
 * unless it is held, and not faster than its pace.
 *
 * Invariant: at most one chunk is read and not written; until it is, the source is not read.
 */
import type { Socket } from 'node:net';

/** A slice is what passes in about this time, so that a slow direction is slow and not in gulps. */
const sliceMs = 20;
const sliceBytesMin = 64;

/** A rate shared by all connections of one direction. */
export class Pace {
  readonly bytesPerSlice: number;
  readonly #bytesPerMs: number;
  #freeAtMs = 0;

  constructor(bytesPerSecond: number) {
    this.#bytesPerMs = bytesPerSecond / 1_000;
    this.bytesPerSlice = Math.max(sliceBytesMin, Math.floor(this.#bytesPerMs * sliceMs));
  }

  /** Takes so many bytes of the rate; returns how long to wait before the next ones. */
  take(bytes: number, nowMs: number): number {
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs) + bytes / this.#bytesPerMs;
    return this.#freeAtMs - nowMs;
  }
}

/** How much has passed in one direction, over all its connections. */
export interface Meter {
  bytes: number;
}

export class Flow {
  readonly #source: Socket;
  readonly #sink: Socket;
  readonly #meter: Meter;
  /** Read and not written. */
  #pending: Buffer = Buffer.alloc(0);
  #isHeld = false;
  #pace: Pace | undefined;
  /** The pace says to wait. */
  #timer: NodeJS.Timeout | undefined;
  /** The sink takes no more for the moment. */
  #isFull = false;
  #isClosed = false;

  constructor(source: Socket, sink: Socket, meter: Meter) {
    this.#source = source;
    this.#sink = sink;
    this.#meter = meter;
    source.on('data', (chunk: Buffer) => this.pass(chunk));
    sink.on('drain', () => {
      this.#isFull = false;
      this.#move();
    });
  }

  /** Whether it is held, and how fast it may be. */
  set(isHeld: boolean, pace: Pace | undefined): void {
    this.#isHeld = isHeld;
    if (pace !== this.#pace) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
    this.#pace = pace;
    this.#move();
  }

  /** Bytes that were read from the source. */
  pass(chunk: Buffer): void {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    this.#move();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #move(): void {
    while (this.#pending.length > 0 && this.#mayPass()) {
      const slice = this.#pending.subarray(0, this.#pace?.bytesPerSlice);
      this.#pending = this.#pending.subarray(slice.length);
      this.#isFull = !this.#sink.write(slice);
      this.#meter.bytes += slice.length;
      if (this.#pace !== undefined) this.#wait(this.#pace.take(slice.length, performance.now()));
    }
    if (this.#pending.length === 0 && this.#mayPass()) this.#source.resume();
    else this.#source.pause();
  }

  #mayPass(): boolean {
    return !this.#isHeld && !this.#isFull && this.#timer === undefined && !this.#isClosed;
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#move();
    }, ms);
  }
}
