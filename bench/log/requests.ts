/** What the bench asks of its two workers. */
import type { FlushMode } from '../../proto/model/acks.ts';

/** `append` keeps a window of bytes under way; `rounds` stores so many bytes over all logs at a time. */
export type LogRequest =
  | {
      readonly kind: 'append';
      readonly path: string;
      readonly flush: FlushMode;
      readonly batchBytes: number;
      readonly totalBytes: number;
    }
  | {
      readonly kind: 'rounds';
      readonly path: string;
      readonly logs: number;
      readonly roundBytes: number;
      readonly rounds: number;
    }
  | { readonly kind: 'fill'; readonly path: string; readonly totalBytes: number }
  | { readonly kind: 'read'; readonly path: string }
  | { readonly kind: 'create'; readonly path: string; readonly logs: number }
  | { readonly kind: 'start'; readonly path: string; readonly idleMs: number };

/** Bytes moved and how long it took. */
export interface LogAnswer {
  readonly bytes: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Anything that was not as it should be. */
  readonly faults: readonly string[];
  /** `start`: percent of one core while nothing happened. */
  readonly idlePercent?: number;
}

/** Bytes that are accepted and not yet stored, with both contenders. */
export const windowBytes = 8 * 1024 * 1024;

/** Bytes of one write, with both contenders: the rest of the window is made ready meanwhile. */
export const groupBytes = 2 * 1024 * 1024;
