/**
 * A node of the simulated cluster: the production node, as `highwater server` starts it, on a machine
 * of virtual time, memory disk and memory networks. The disk outlives the processes; a process can be
 * killed, stopped and continued, stopped in order, lose power, and find an empty disk.
 */
import type { LogLimits } from '../../../broker/log/log-config.ts';
import type { Machine, NodeRules } from '../../../broker/main/machine.ts';
import { type RunningNode, startNode } from '../../../broker/main/node.ts';
import type { PartitionDriver } from '../../../broker/replication/partition-driver.ts';
import { HighwaterError } from '../../../proto/model/errors.ts';
import { type NodeId, nodeId } from '../../../proto/model/ids.ts';
import { readNodeSettings } from '../../../proto/model/node-settings.ts';
import { MemoryDisk } from '../../../proto/ports/memory/memory-disk.ts';
import { MemoryKeyValueStorage } from '../../../proto/ports/memory/memory-key-value.ts';
import type { VirtualClock } from '../../../proto/ports/memory/virtual-clock.ts';
import type { MemoryRpcNetwork } from '../../../proto/rpc/memory/memory-rpc-network.ts';
import type { LeasedBroker } from '../checkers/leases.ts';
import type { World } from '../world.ts';
import { nodeStory } from './node-story.ts';
import { silentHttp } from './silent-http.ts';

export interface SimNodeOptions {
  readonly id: number;
  /** Settings by name, on top of the addresses. */
  readonly settings: ReadonlyMap<string, string>;
  /** What a flush of a file or of a store takes. */
  readonly flushMs: number;
  readonly crashMode: 'prefix' | 'random';
  /** Undefined: every rule holds. */
  readonly rules: NodeRules | undefined;
  /** Undefined: the bounds of the product. */
  readonly logLimits: Partial<LogLimits> | undefined;
  /** How fast the node's clock runs, and how far its wall clock is off. */
  readonly clockRate: number;
  readonly wallSkewMs: number;
}

type NodeState = 'down' | 'up' | 'paused' | 'stopping';

export class SimNode {
  readonly id: NodeId;
  readonly host: string;
  /** The process; undefined until it listens and from its end on. */
  running: RunningNode | undefined;
  /** Processes so far. */
  starts = 0;
  disk = new MemoryDisk();
  storage = new MemoryKeyValueStorage();
  /** Told of each operation on the disk, before it. */
  onOperation: ((kind: string, path: string) => void) | undefined;
  readonly #world: World;
  readonly #rpc: MemoryRpcNetwork;
  readonly #options: SimNodeOptions;
  #state: NodeState = 'down';
  #clock: VirtualClock | undefined;
  #boots = 0;
  #disks = 0;
  #slowMs = 0;

  constructor(world: World, rpc: MemoryRpcNetwork, options: SimNodeOptions) {
    this.#world = world;
    this.#rpc = rpc;
    this.#options = options;
    this.id = nodeId(options.id);
    this.host = `host-${options.id}`;
    this.#format();
  }

  get state(): NodeState {
    return this.#state;
  }

  /** What its broker has applied of the metadata. */
  get revision(): number {
    return this.running?.broker?.image.revision ?? 0;
  }

  /** By the clock of the process. */
  get now(): number {
    return this.#clock?.now() ?? 0;
  }

  get replicas(): Iterable<PartitionDriver> {
    return this.running?.broker?.replicas() ?? [];
  }

  /** The lease of the broker that runs. */
  get lease(): LeasedBroker {
    const { running, id } = this;
    const clock = this.#clock;
    return {
      id,
      now: () => clock?.now() ?? 0,
      leaseUntil: () => running?.broker?.source.leaseUntilMs ?? 0,
    };
  }

  /** How often its machine was without power. */
  get boots(): number {
    return this.#boots;
  }

  /** Disks so far. */
  get disks(): number {
    return this.#disks;
  }

  get isVoter(): boolean {
    return this.#options.settings.get('roles')?.includes('controller') ?? true;
  }

  get isBroker(): boolean {
    return this.#options.settings.get('roles')?.includes('broker') ?? true;
  }

  start(): void {
    if (this.#state !== 'down') return;
    this.#state = 'up';
    const name = `node ${this.id} start ${++this.starts}`;
    this.#note('start');
    this.#world.network.bringBack(this.id);
    const random = this.#world.random.fork(name);
    const clock = this.#world.time.clockFor(name, {
      originMs: random.below(1_000_000),
      rate: this.#options.clockRate,
      wallSkewMs: this.#options.wallSkewMs,
    });
    this.#clock = clock;
    const machine = this.#machine(clock, random);
    clock.soon(() => void this.#run(machine, clock));
  }

  /** SIGKILL: the page cache stays, connections are closed by the machine. */
  kill(): void {
    if (!this.#end('kill')) return;
    this.#world.network.kill(this.id);
    this.#rpc.crash(this.host, true);
    this.disk.killProcess();
    this.storage.killProcess();
  }

  /** The machine loses power: nobody is told, and what was not flushed is lost or torn. */
  losePower(): void {
    if (!this.#end('power')) return;
    this.#boots++;
    this.#world.network.vanish(this.id);
    this.#rpc.crash(this.host, false);
    const random = this.#world.random.fork(`power ${this.id} ${this.starts}`);
    this.disk.crash(random, this.#options.crashMode);
    this.storage.crash(random, 'random');
  }

  /** The machine burns down; the next start finds an empty disk. */
  loseDisk(): void {
    this.losePower();
    this.#note('disk lost');
    this.#format();
  }

  pause(): void {
    if (this.#state !== 'up') return;
    this.#state = 'paused';
    this.#note('pause');
    this.#clock?.pause();
    this.#world.network.stop(this.id);
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'up';
    this.#note('resume');
    this.#world.network.resume(this.id);
    this.#clock?.resume();
  }

  /** SIGTERM, and a new process once the old one has ended; a kill may come in between. */
  restart(): void {
    const { running } = this;
    if (this.#state !== 'up' || running === undefined) return;
    this.#state = 'stopping';
    this.#note('stop');
    const { starts } = this;
    const ended = (): void => {
      if (this.starts !== starts || this.#state !== 'stopping') return;
      this.#world.reach('node-stopped in order');
      this.kill();
      this.start();
    };
    running.stop().then(ended, ended);
  }

  /** Every flush takes so much longer. */
  slowDown(ms: number): void {
    this.#slowMs = ms;
    this.storage.flushMs = this.#options.flushMs + ms;
  }

  jumpWall(ms: number): void {
    this.#clock?.jumpWall(ms);
  }

  #format(): void {
    const { flushMs } = this.#options;
    this.#disks++;
    this.disk = new MemoryDisk();
    this.storage = new MemoryKeyValueStorage();
    this.disk.latency = ({ kind, path }) => {
      if (path.includes('journal')) this.#reachJournal(kind);
      if (kind === 'read' && path.endsWith('.log') && this.running !== undefined)
        this.#world.reach('segment read while serving');
      this.onOperation?.(kind, path);
      return kind === 'sync' ? flushMs + this.#slowMs : 0;
    };
    this.storage.flushMs = flushMs + this.#slowMs;
  }

  #reachJournal(kind: string): void {
    if (kind === 'sync') this.#world.reach('journal flushed');
    if (kind === 'read' && this.running === undefined) this.#world.reach('journal redone');
  }

  #end(how: string): boolean {
    if (this.#state === 'down') return false;
    this.#state = 'down';
    this.running = undefined;
    this.#note(how);
    this.#clock?.stop();
    return true;
  }

  async #run(machine: Machine, clock: VirtualClock): Promise<void> {
    const read = readNodeSettings(this.#settings());
    if ('refusals' in read) throw new Error(read.refusals.join('; '));
    try {
      const running = await startNode(read.settings, machine, new AbortController().signal);
      if (clock.isStopped) return;
      this.running = running;
      this.#fails(await running.failed, clock);
    } catch (error) {
      this.#fails(error, clock);
    }
  }

  /** What the process rests on has failed: it ends, and its supervisor starts another. */
  #fails(error: unknown, clock: VirtualClock): void {
    if (clock.isStopped) return;
    const { code, message } = HighwaterError.from(error);
    this.#note(`failed ${code} ${message}`);
    this.#world.reach(`node-failed ${code}`);
    if (code === 'INTERNAL') this.#world.fail('no-defect', `node ${this.id}: ${describe(error)}`);
    this.kill();
    this.#world.time.clock.after(100, () => this.start());
  }

  #settings(): ReadonlyMap<string, string> {
    return new Map([
      ['node-id', String(this.id)],
      ['data', '/data'],
      ['listen', `${this.host}:9092`],
      ['peer-listen', `${this.host}:9093`],
      ['http-listen', `${this.host}:9094`],
      ['insecure-listen', 'true'],
      ['disk-reserve-bytes', '0'],
      ...this.#options.settings,
    ]);
  }

  #machine(clock: VirtualClock, random: Machine['random']): Machine {
    const logger = nodeStory(this.#world, this.id, clock);
    const { rules, logLimits } = this.#options;
    return {
      ...(rules === undefined ? {} : { rules }),
      ...(logLimits === undefined ? {} : { logLimits }),
      clock,
      random,
      fileSystem: this.disk.mount(clock),
      keyValue: this.storage.mount(clock),
      logger,
      network: this.#world.network.of(this.id),
      createRpcServer: () => this.#rpc.host(this.host, clock, logger).createServer(),
      createHttpServer: () => silentHttp,
      bootId: `boot-${this.id}-${this.#boots}`,
      absolutePath: (path) => path,
      readText: () => '',
      flushLog: () => undefined,
    };
  }

  #note(what: string): void {
    this.#world.note(`n${this.id} ${what}`);
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
