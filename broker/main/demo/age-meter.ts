/**
 * How old a record is when a reader gets it: each value carries the time at which it was sent, and every
 * replica has a reader that follows it.
 */
import { type Client, Session } from '../../../client/index.ts';
import type { PartitionPlace } from '../fleet/cluster-view.ts';

const everyMs = 20;
const valueBytes = 500;

export class AgeMeter {
  readonly #ages = new Map<number, number[]>();
  readonly #stop = new AbortController();
  readonly #ended: Promise<unknown>;

  constructor(
    client: Client,
    place: PartitionPlace,
    nodes: readonly number[],
    onAge: (node: number, ms: number) => void,
  ) {
    this.#ended = Promise.all([
      this.#write(client, place),
      ...nodes.map((node) => this.#read(client, place, { node, onAge })),
    ]);
  }

  /** Ages in milliseconds at each node since the last call. */
  take(): ReadonlyMap<number, readonly number[]> {
    const taken = new Map(this.#ages);
    this.#ages.clear();
    return taken;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  async #write(client: Client, place: PartitionPlace): Promise<void> {
    const producer = client.producer({ acks: 'leader', closeTimeoutMs: 500 });
    while (!this.#stop.signal.aborted) {
      const value = String(performance.now()).padEnd(valueBytes, ' ');
      producer.send({ ...place, value }).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
    await producer.close();
  }

  async #read(
    client: Client,
    place: PartitionPlace,
    { node, onAge }: { readonly node: number; readonly onAge: (node: number, ms: number) => void },
  ): Promise<void> {
    const session = new Session();
    const reader = client.reader({ ...place, readFrom: node, level: 'any', session });
    this.#stop.signal.addEventListener('abort', () => void reader.close(), { once: true });
    for await (const { value } of reader) {
      const ms = performance.now() - Number(Buffer.from(value ?? '').toString());
      onAge(node, ms);
      const ages = this.#ages.get(node) ?? [];
      ages.push(ms);
      this.#ages.set(node, ages);
    }
  }
}
