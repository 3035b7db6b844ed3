/**
 * The live stream from the node: read as it comes, opened again when it ends or falls silent. A node
 * that is alive sends some messages a second, so a few seconds without one are as good as an end.
 */
import type { FeedMessage } from '../../proto/dashboard/messages.ts';
import { authorization } from './api.ts';

export type StreamCondition =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  | { readonly kind: 'lost'; readonly sinceMs: number; readonly reason: string }
  | { readonly kind: 'refused'; readonly status: number };

export interface FeedListener {
  onMessage(message: FeedMessage): void;
  onCondition(condition: StreamCondition): void;
}

const silentMsMax = 3_000;
const againMs = 400;

export class FeedStream {
  readonly #listener: FeedListener;
  #query = '';
  #abort: AbortController | undefined;
  #lostSince: number | undefined;

  constructor(listener: FeedListener) {
    this.#listener = listener;
  }

  /** Opens the stream, or opens it anew with another query. */
  open(query: string): void {
    this.#query = query;
    if (this.#abort === undefined) void this.#run();
    else this.#abort.abort();
  }

  async #run(): Promise<void> {
    for (;;) {
      const abort = new AbortController();
      this.#abort = abort;
      let reason = 'it ended the stream';
      try {
        const status = await this.#read(abort);
        if (status !== 200) {
          this.#listener.onCondition({ kind: 'refused', status });
          reason = `it answered with status ${status}`;
        }
      } catch {
        reason = abort.signal.aborted ? 'it has fallen silent' : 'it does not answer';
      }
      this.#lostSince ??= Date.now();
      this.#listener.onCondition({ kind: 'lost', sinceMs: this.#lostSince, reason });
      await new Promise((next) => setTimeout(next, againMs));
    }
  }

  async #read(abort: AbortController): Promise<number> {
    let watchdog = setTimeout(() => abort.abort(), silentMsMax);
    try {
      const response = await fetch(`/api/live${this.#query}`, {
        headers: authorization(),
        signal: abort.signal,
      });
      if (!response.ok || response.body === null) return response.status;
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = '';
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return 200;
        clearTimeout(watchdog);
        watchdog = setTimeout(() => abort.abort(), silentMsMax);
        text = this.#deliver(text + value);
      }
    } finally {
      clearTimeout(watchdog);
    }
  }

  /** Delivers what is whole; returns the rest. */
  #deliver(text: string): string {
    const parts = text.split('\n\n');
    const rest = parts.pop() ?? '';
    for (const part of parts) {
      if (!part.startsWith('data: ')) continue;
      this.#lostSince = undefined;
      this.#listener.onMessage(JSON.parse(part.slice(6)) as FeedMessage);
    }
    if (parts.length > 0) this.#listener.onCondition({ kind: 'live' });
    return rest;
  }
}
