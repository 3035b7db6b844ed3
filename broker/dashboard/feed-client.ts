/**
 * One browser's stream of server-sent events. What the browser has not taken waits here, within a
 * bound; beyond it changes are no longer queued for this browser and it gets a snapshot once it reads
 * again. One that reads nothing for half a minute is let go, and comes back by itself.
 */
import type { FeedMessage } from '../../proto/dashboard/messages.ts';

/** What a stream of server-sent events is written to: a response of the HTTP side. */
export interface FeedSink {
  readonly writableLength: number;
  write(text: string): boolean;
  end(): void;
}

/** Bytes that wait for one browser: a snapshot of some thousand partitions and a few changes. */
const unsentBytesMax = 4 * 1024 * 1024;
const silentMsMax = 30_000;

export class FeedClient {
  readonly #sink: FeedSink;
  #behindSince: number | undefined;
  /** It gets a snapshot before any change. */
  needsWhole = true;

  constructor(sink: FeedSink) {
    this.#sink = sink;
  }

  /** Whether it takes messages at present; ends a stream that has taken none for too long. */
  canTake(nowMs: number): boolean {
    if (this.#behindSince !== undefined) {
      if (this.#sink.writableLength > 0) {
        if (nowMs - this.#behindSince > silentMsMax) this.#sink.end();
        return false;
      }
      this.#behindSince = undefined;
      return true;
    }
    if (this.#sink.writableLength <= unsentBytesMax) return true;
    this.#behindSince = nowMs;
    this.needsWhole = true;
    return false;
  }

  /** An encoded message, made once for all browsers. */
  send(text: string): void {
    this.#sink.write(text);
  }

  end(): void {
    this.#sink.end();
  }
}

/** A message as an event of the stream. */
export function encodeEvent(message: FeedMessage): string {
  return `data: ${JSON.stringify(message)}\n\n`;
}
