import { setMaxListeners } from 'node:events';

/**
 * Listens for the end of a caller's patience. One signal may well stand for a hundred calls under way, so
 * Node's warning of a leak past ten listeners is turned off for it: each listener is taken away again when
 * its call is over.
 */
export function listenForAbort(signal: AbortSignal, onAbort: () => void): void {
  setMaxListeners(0, signal);
  signal.addEventListener('abort', onAbort, { once: true });
}
