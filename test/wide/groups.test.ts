/**
 * Goal: members crash, hang, join and leave, and the coordinator's node is killed; every record is handled, none
 * is skipped, keys stay in order, committed offsets never go back. How long assignments took to settle after
 * each change is printed, and the longest of them; a process that starts is counted from where it asks to join.
 * Method: three nodes and the members are processes of their own; the members say what they handle, with
 * the machine's monotonic clock.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { type Client, connect } from '../../client/index.ts';
import { groupService } from '../../proto/generated/highwater/v1/group.ts';
import { nodeClock } from '../../proto/ports/node/node-clock.ts';
import { GrpcConnector } from '../../proto/rpc/grpc/connector.ts';
import { ProcessCluster } from '../support/process-cluster.ts';

const program = fileURLToPath(new URL('./group-member.ts', import.meta.url));
const partitions = 12;
const keys = 48;
const backlogMax = 400;

interface Handled {
  readonly at: bigint;
  readonly member: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly key: string;
  readonly value: number;
}

class Members {
  readonly handled: Handled[] = [];
  readonly running = new Map<string, ChildProcess>();
  readonly #joining = new Map<string, () => void>();
  readonly #brokers: readonly string[];

  constructor(brokers: readonly string[]) {
    this.#brokers = brokers;
  }

  /** Resolves once the process asks to be a member. */
  start(name: string): Promise<void> {
    const words = [program, this.#brokers.join(','), 'billing', 'orders', name];
    const child = spawn(process.execPath, ['--import', 'tsx', ...words], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.running.set(name, child);
    createInterface({ input: child.stdout }).on('line', (line) => this.#read(line));
    return new Promise((resolve) => this.#joining.set(name, resolve));
  }

  async end(name: string, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.running.get(name);
    if (child === undefined) throw new Error(`no member ${name}`);
    this.running.delete(name);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  }

  /** Stops a member's process, or lets it go on. */
  signal(name: string, signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.running.get(name)?.kill(signal);
  }

  #read(line: string): void {
    const [at = '0', member = '', what, partition, offset = '0', key = '', value] = line.split(' ');
    if (what === 'joining') this.#joining.get(member)?.();
    if (what !== 'handled') return;
    this.handled.push({
      at: BigInt(at),
      member,
      partition: Number(partition),
      offset: BigInt(offset),
      key,
      value: Number(value),
    });
  }
}

let cluster: ProcessCluster | undefined;
let client: Client | undefined;
let members: Members | undefined;

afterEach(async () => {
  for (const child of members?.running.values() ?? []) child.kill('SIGKILL');
  await client?.close();
  await cluster?.stop();
});

test('members crash, hang, join and leave and the coordinator is killed: nothing is skipped, keys stay in order', async () => {
  cluster = await ProcessCluster.start({ nodes: 3 });
  client = await connect({ brokers: cluster.brokers });
  await client.admin.createTopic({ name: 'orders', partitions, replicationFactor: 3 });
  const all = new Members(cluster.brokers);
  members = all;
  const sending = new Sending(client, all.handled);
  const watching = new Watching(client);
  const producing = sending.run();
  const observing = watching.run();
  const settled: Record<string, number> = {};
  const hung: Record<string, number> = {};

  await Promise.all(['a', 'b', 'c', 'd'].map((name) => all.start(name)));
  settled['four join'] = await settles(client, 4);
  const { handled } = members;
  await until(handled, () => handled.length > 500);
  await members.end('a', 'SIGKILL');
  settled['a crash'] = await settles(client, 3);
  await members.start('e');
  settled['a join'] = await settles(client, 4);
  await members.end('b', 'SIGTERM');
  settled['a leave'] = await settles(client, 3);
  const coordinator = await coordinatorOf(cluster);
  await cluster.node(coordinator).kill('SIGKILL');
  settled['the coordinator killed'] = await settles(client, 3);
  await members.start('f');
  settled['a join without it'] = await settles(client, 4);
  cluster.node(coordinator).start();
  await cluster.node(coordinator).ready();
  await members.end('c', 'SIGKILL');
  settled['another crash'] = await settles(client, 3);
  members.signal('d', 'SIGSTOP');
  hung['a hang, the session of 4 s included'] = await settles(client, 2);
  members.signal('d', 'SIGCONT');
  settled['it goes on'] = await settles(client, 3);

  sending.stop();
  await producing;
  const sent = sending.acknowledged;
  const wanted = sent.reduce((sum, values) => sum + values, 0);
  const distinct = () => new Set(handled.map(({ key, value }) => `${key}/${value}`)).size;
  await until(handled, () => distinct() >= wanted);
  watching.stop();
  await observing;
  const repeated = handled.length - wanted;
  console.log(
    JSON.stringify({
      sent: wanted,
      repeated,
      watched: watching.seen,
      settledMsMax: Math.max(...Object.values(settled)),
      settledMs: { ...settled, ...hung },
    }),
  );
  expectNothingSkipped(handled, sent);
  expect(watching.wentBack).toEqual([]);
});

/** Keys get the numbers 0, 1, 2, …, one after the other. */
class Sending {
  readonly acknowledged: number[] = Array.from({ length: keys }, () => 0);
  readonly #client: Client;
  readonly #handled: readonly Handled[];
  #isStopped = false;

  constructor(client: Client, handled: readonly Handled[]) {
    this.#client = client;
    this.#handled = handled;
  }

  stop(): void {
    this.#isStopped = true;
  }

  async run(): Promise<void> {
    const producer = this.#client.producer({ acks: 'all' });
    for (let round = 0; !this.#isStopped; round++) {
      const sends = this.acknowledged.map((_, key) =>
        producer.send({ topic: 'orders', key: `k${key}`, value: String(round) }),
      );
      await Promise.all(sends);
      for (let key = 0; key < keys; key++) this.acknowledged[key] = round + 1;
      // Members that commit each record on a busy machine are not to be left with hours of work.
      do await new Promise((resolve) => setTimeout(resolve, 100));
      while ((round + 1) * keys - this.#handled.length > backlogMax && !this.#isStopped);
    }
    await producer.close();
  }
}

/** Asks for the committed offsets again and again. */
class Watching {
  readonly wentBack: string[] = [];
  seen = 0;
  readonly #client: Client;
  readonly #highest = new Map<number, bigint>();
  #isStopped = false;

  constructor(client: Client) {
    this.#client = client;
  }

  stop(): void {
    this.#isStopped = true;
  }

  async run(): Promise<void> {
    while (!this.#isStopped) {
      const group = await this.#client.groups.describe('billing').catch(() => undefined);
      for (const { partition, committed } of group?.partitions ?? []) {
        const before = this.#highest.get(partition) ?? -1n;
        const present = committed ?? -1n;
        if (present < before) this.wentBack.push(`${partition}: ${before} to ${present}`);
        this.#highest.set(partition, present > before ? present : before);
        this.seen++;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** How long it took until so many members hold everything between them. */
async function settles(client: Client, count: number): Promise<number> {
  const from = Date.now();
  for (;;) {
    const group = await client.groups.describe('billing').catch(() => undefined);
    const held = new Set(group?.members.flatMap((member) => member.held));
    const isStable = group?.state === 'stable' && group.members.length === count;
    if (isStable && held.size === partitions) return Date.now() - from;
    if (Date.now() - from > 30_000)
      throw new Error(`not settled: ${JSON.stringify(group?.members)} ${group?.state}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function coordinatorOf(cluster: ProcessCluster): Promise<number> {
  const channel = new GrpcConnector({ clock: nodeClock }).connect(cluster.node(1).grpc, 'test');
  try {
    const request = { group: 'billing' };
    return (await channel.unary(groupService.findCoordinator, request, { deadlineMs: 5_000 }))
      .nodeId;
  } finally {
    await channel.close();
  }
}

/** Gives up where nothing more is handled for a minute: how long all of it takes is the machine's. */
async function until(handled: readonly Handled[], predicate: () => boolean): Promise<void> {
  let seen = handled.length;
  let sinceMs = Date.now();
  while (!predicate()) {
    if (handled.length > seen) sinceMs = Date.now();
    seen = handled.length;
    if (Date.now() - sinceMs > 60_000) throw new Error(`stuck for a minute at ${seen} handled`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** The first time that a value is handled, all values of its key before it have been. */
function expectNothingSkipped(handled: readonly Handled[], sent: readonly number[]): void {
  const next = new Map<string, number>();
  const faults: string[] = [];
  for (const { key, value, member, partition, offset } of handled.toSorted((a, b) =>
    a.at < b.at ? -1 : 1,
  )) {
    const expected = next.get(key) ?? 0;
    if (value > expected)
      faults.push(`${member} handled ${key} ${value} (${partition}@${offset}) before ${expected}`);
    if (value === expected) next.set(key, value + 1);
  }
  expect(faults).toEqual([]);
  sent.forEach((count, key) => expect(next.get(`k${key}`) ?? 0).toBeGreaterThanOrEqual(count));
}
