/**
 * A machine of the simulated world: a disk that outlives the processes, and at most one process,
 * which can be killed, stopped and continued, and lose power. What runs is a Program: a controller, a
 * broker, a client.
 */
import { createLinkEndpoint } from '../../proto/link/link-endpoint.ts';
import type { LinkTimings } from '../../proto/link/timings.ts';
import { clusterId, incarnationId, type NodeId, type StorageId } from '../../proto/model/ids.ts';
import type { KeyValueOpener } from '../../proto/ports/key-value.ts';
import type { LinkEndpoint } from '../../proto/ports/link.ts';
import { silentLogger } from '../../proto/ports/logger.ts';
import { MemoryKeyValueStorage } from '../../proto/ports/memory/memory-key-value.ts';
import type { SeededRandom } from '../../proto/ports/memory/seeded-random.ts';
import type { VirtualClock } from '../../proto/ports/memory/virtual-clock.ts';
import type { World } from './world.ts';

/** What a program gets of the machine that it runs on. Nothing of it works after a crash. */
export interface Host {
  readonly nodeId: NodeId;
  readonly storageId: StorageId;
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly endpoint: LinkEndpoint;
  readonly keyValues: KeyValueOpener;
  /** The process cannot go on: it ends as if it were killed. */
  exit(reason: string): void;
}

export type Program = (host: Host) => Promise<void>;

const cluster = clusterId('00000000-0000-4000-8000-0000000000aa');
const port = 9093;

export class Machine {
  readonly nodeId: NodeId;
  readonly storageId: StorageId;
  readonly storage = new MemoryKeyValueStorage();
  readonly #world: World;
  readonly #program: Program;
  readonly #timings: Partial<LinkTimings>;
  #clock: VirtualClock | undefined;
  #state: 'down' | 'up' | 'paused' = 'down';
  #starts = 0;

  constructor(
    world: World,
    options: {
      readonly nodeId: NodeId;
      readonly storageId: StorageId;
      readonly program: Program;
      readonly timings: Partial<LinkTimings>;
    },
  ) {
    this.#world = world;
    this.nodeId = options.nodeId;
    this.storageId = options.storageId;
    this.#program = options.program;
    this.#timings = options.timings;
    world.machines.push(this);
  }

  get state(): 'down' | 'up' | 'paused' {
    return this.#state;
  }

  get address(): { readonly host: string; readonly port: number } {
    return { host: `host-${this.nodeId}`, port };
  }

  start(): void {
    if (this.#state !== 'down') return;
    this.#state = 'up';
    const start = ++this.#starts;
    const world = this.#world;
    const name = `node ${this.nodeId} start ${start}`;
    world.note(`start ${this.nodeId}`);
    world.network.bringBack(this.nodeId);
    const random = world.random.fork(name);
    const clock = world.time.clockFor(name, { originMs: random.below(1_000_000) });
    this.#clock = clock;
    const host = this.#host(clock, random, start);
    clock.soon(() => {
      void host.endpoint.listen(this.address.host, port);
      // A start that fails because the process was killed meanwhile is no failure of its own.
      void this.#program(host).catch((error: unknown) => {
        if (!clock.isStopped) throw error;
      });
    });
  }

  /** The process is killed: what it had written but not flushed stays in the page cache. */
  kill(): void {
    if (!this.#end('kill')) return;
    this.#world.network.kill(this.nodeId);
    this.storage.killProcess();
  }

  /** The machine loses power: peers are not told, and what was not flushed is lost or torn. */
  losePower(): void {
    if (!this.#end('power')) return;
    this.#world.network.vanish(this.nodeId);
    this.storage.crash(this.#world.random.fork(`power ${this.nodeId} ${this.#starts}`), 'random');
  }

  pause(): void {
    if (this.#state !== 'up') return;
    this.#state = 'paused';
    this.#world.note(`pause ${this.nodeId}`);
    this.#clock?.pause();
    this.#world.network.stop(this.nodeId);
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'up';
    this.#world.note(`resume ${this.nodeId}`);
    this.#world.network.resume(this.nodeId);
    this.#clock?.resume();
  }

  #end(how: string): boolean {
    if (this.#state === 'down') return false;
    this.#state = 'down';
    this.#world.note(`${how} ${this.nodeId}`);
    this.#clock?.stop();
    return true;
  }

  #host(clock: VirtualClock, random: SeededRandom, start: number): Host {
    const { nodeId, storageId } = this;
    const suffix = String(start).padStart(6, '0') + String(nodeId).padStart(6, '0');
    const endpoint = createLinkEndpoint({
      identity: {
        clusterId: cluster,
        nodeId,
        storageId,
        incarnationId: incarnationId(`00000000-0000-4000-8000-${suffix}`),
        featureMin: 1,
        featureMax: 1,
      },
      network: this.#world.network.of(nodeId),
      clock,
      random: random.fork('link'),
      logger: silentLogger,
      timings: this.#timings,
    });
    return {
      nodeId,
      storageId,
      clock,
      random: random.fork('program'),
      endpoint,
      keyValues: this.storage.mount(clock),
      exit: (reason) => {
        this.#world.note(`exit ${nodeId}: ${reason}`);
        this.kill();
      },
    };
  }
}
