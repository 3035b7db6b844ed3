import { cpuSecondsOf } from '../harness/process-usage.ts';
import { startWorker, type Worker } from '../harness/worker.ts';
import type { LoadAnswer, LoadRequest } from './requests.ts';

/** A client in a process of its own. */
export function startLoadClient(): Worker<LoadRequest, LoadAnswer> {
  return startWorker(new URL('./load-worker.ts', import.meta.url));
}

/** CPU seconds of several processes since their start. */
export function cpuSecondsOfAll(processes: Iterable<{ readonly pid: number }>): number {
  let seconds = 0;
  for (const { pid } of processes) seconds += cpuSecondsOf(pid);
  return seconds;
}
