/** CPU seconds that a load costs a peer, client and nodes, from when it is made. */
import { cpuSecondsOf } from '../harness/process-usage.ts';
import { cpuSecondsOfAll } from '../load/load-client.ts';
import type { Shown } from './contestant.ts';

interface Process {
  readonly pid: number;
}

export class CpuMeter {
  readonly #nodes: readonly Process[];
  readonly #client: Process;
  readonly #nodesBefore: number;
  readonly #clientBefore: number;

  constructor(nodes: readonly Process[], client: Process) {
    this.#nodes = nodes;
    this.#client = client;
    this.#nodesBefore = cpuSecondsOfAll(nodes);
    this.#clientBefore = cpuSecondsOf(client.pid);
  }

  perGB(
    count: number,
    { valueBytes }: { readonly valueBytes: number },
  ): Pick<Shown, 'nodesCpuPerGB' | 'clientCpuPerGB'> {
    const gigabytes = (count * valueBytes) / 1e9;
    return {
      nodesCpuPerGB: (cpuSecondsOfAll(this.#nodes) - this.#nodesBefore) / gigabytes,
      clientCpuPerGB: (cpuSecondsOf(this.#client.pid) - this.#clientBefore) / gigabytes,
    };
  }
}
