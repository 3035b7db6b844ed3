import { startWorker, type Worker } from '../harness/worker.ts';
import type { ClientAnswer, ClientRequest } from './raw-client.ts';

/** A raw client in a process of its own. */
export function startRawClient(): Worker<ClientRequest, ClientAnswer> {
  return startWorker(new URL('./raw-client.ts', import.meta.url));
}
