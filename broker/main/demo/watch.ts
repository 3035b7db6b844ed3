/**
 * Looks at one partition many times a second, at every node that says it leads it: log end, watermark
 * and in-sync set over time. What a node says is its own view; two may say that they lead.
 */
import type { Client, PartitionInfo } from '../../../client/index.ts';
import { partitionInfo } from '../fleet/cluster-view.ts';
import type { LessonCluster } from './lesson-cluster.ts';
import type { LinePlot, Recording } from './recording.ts';

/** What one look at one leader saw. */
export interface Sight {
  readonly atMs: number;
  readonly node: number;
  readonly logEnd: number;
  readonly watermark: number;
  readonly isr: readonly number[];
}

const everyMs = 100;

export class Watch {
  readonly sights: Sight[] = [];
  readonly #cluster: LessonCluster;
  readonly #recording: Recording;
  readonly #offsets: LinePlot;
  readonly #inSync: LinePlot;
  readonly #clients = new Map<number, Client>();
  readonly #loops: Promise<void>[];
  #isStopped = false;

  constructor(cluster: LessonCluster, recording: Recording) {
    this.#cluster = cluster;
    this.#recording = recording;
    this.#offsets = recording.lines('Log end and watermark at the leader', 'records');
    this.#inSync = recording.lines('Members of the in-sync set', 'replicas', 'steps');
    this.#loops = cluster.brokers.map(({ id }) => this.#look(id));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#loops);
  }

  async #look(id: number): Promise<void> {
    while (!this.#isStopped) {
      const info = await this.#ask(id).catch(() => undefined);
      if (info !== undefined) this.#see(id, info);
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  }

  async #ask(id: number): Promise<PartitionInfo | undefined> {
    const node = this.#cluster.node(id);
    if (!node.isRunning) return undefined;
    const client = this.#clients.get(id) ?? (await this.#cluster.clientOf(node));
    this.#clients.set(id, client);
    return partitionInfo(client, this.#cluster.place);
  }

  #see(node: number, info: PartitionInfo): void {
    const own = info.progress.find((one) => one.node === node);
    if (own === undefined || info.leader !== node) return;
    const { logEnd, highWatermark } = own;
    const sight = {
      atMs: this.#recording.elapsedMs,
      node,
      logEnd: Number(logEnd),
      watermark: Number(highWatermark),
      isr: info.isr,
    };
    this.sights.push(sight);
    this.#recording.point(this.#offsets, `log end, node ${node}`, sight.logEnd);
    this.#recording.point(this.#offsets, `watermark, node ${node}`, sight.watermark);
    this.#recording.point(this.#inSync, `seen by node ${node}`, info.isr.length);
  }
}
