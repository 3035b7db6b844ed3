/**
 * The one who breaks things: every now and then one fault, drawn from the kinds of this run, each of
 * which ends by itself. What it breaks stays within what the promises cover: disks keep what was
 * flushed, and at most one of three or more logs is damaged.
 */
import type { Clock } from '../../proto/ports/clock.ts';
import type { SeededRandom } from '../../proto/ports/memory/seeded-random.ts';
import type { Machine } from './machine.ts';
import type { Member } from './quorum-process.ts';
import type { FaultKind, Swarm } from './swarm.ts';
import type { World } from './world.ts';

export class Faults {
  readonly #world: World;
  readonly #members: readonly Member[];
  readonly #swarm: Swarm;
  readonly #random: SeededRandom;
  #isOver = false;
  #damaged: Member | undefined;

  constructor(world: World, members: readonly Member[], swarm: Swarm) {
    this.#world = world;
    this.#members = members;
    this.#swarm = swarm;
    this.#random = world.random.fork('faults');
  }

  /** Runs until `stop`. */
  async run(): Promise<void> {
    if (this.#swarm.faults.length === 0) return;
    for (;;) {
      await this.#world.sleep(this.#upTo(2 * this.#swarm.faultEveryMs));
      if (this.#isOver) return;
      const kind = this.#one(this.#swarm.faults);
      this.#world.note(`fault ${kind}`);
      this.#inject(kind);
    }
  }

  /** No more faults; everything that is broken works again. */
  heal(): void {
    this.#isOver = true;
    this.#world.note('heal');
    this.#world.network.healAll();
    for (const { machine } of this.#members) {
      machine.resume();
      machine.start();
    }
  }

  #inject(kind: FaultKind): void {
    const member = this.#one(this.#members);
    const { machine } = member;
    const other = this.#one(this.#members).machine;
    switch (kind) {
      case 'kill':
        machine.kill();
        return this.#later(600, () => machine.start());
      case 'power':
        machine.losePower();
        return this.#later(600, () => machine.start());
      case 'pause':
        machine.pause();
        return this.#later(500, () => machine.resume());
      case 'cut-one-way':
        this.#world.network.cut(machine.nodeId, other.nodeId);
        return this.#later(800, () => this.#world.network.heal(machine.nodeId, other.nodeId));
      case 'cut-both':
        return this.#cutFrom(machine, [other]);
      case 'isolate':
        return this.#cutFrom(
          machine,
          this.#members.map((one) => one.machine),
        );
      case 'lose-connection':
        return this.#world.network.lose(machine.nodeId, other.nodeId);
      case 'transfer':
        return this.#ask(this.#leader()?.transferTo(machine.nodeId), kind);
      case 'change-voters':
        return this.#changeVoters(member);
      case 'damage':
        return this.#damage(member);
    }
  }

  #cutFrom(machine: Machine, others: readonly Machine[]): void {
    const cut = others.filter((other) => other !== machine).map(({ nodeId }) => nodeId);
    for (const nodeId of cut) this.#world.network.cutBoth(machine.nodeId, nodeId);
    this.#later(800, () => {
      for (const nodeId of cut) {
        this.#world.network.heal(machine.nodeId, nodeId);
        this.#world.network.heal(nodeId, machine.nodeId);
      }
    });
  }

  /** Adds a member that does not vote, or removes one that does. */
  #changeVoters(member: Member): void {
    const leader = this.#leader();
    if (leader === undefined) return;
    const { voters } = leader.status;
    const isVoter = voters.some(({ id }) => id === member.id);
    // Of two voters none may lose its log: damage and so small a quorum are not in one run.
    const isSmall = voters.length <= 3 && this.#swarm.faults.includes('damage');
    if (isVoter && isSmall) return;
    if (isVoter) this.#ask(leader.removeVoter(member.id), 'remove-voter');
    else this.#ask(leader.addVoter(member.voter), 'add-voter');
  }

  /** Kills a member and spoils one entry on its disk. Once in a run, and never the only log. */
  #damage(member: Member): void {
    if (this.#damaged !== undefined || this.#swarm.founders < 3) return;
    this.#damaged = member;
    member.machine.kill();
    void spoilOneEntry(member.machine, this.#world.time.clock, this.#random).then(() => {
      this.#world.reach('damage-done');
      this.#later(300, () => member.machine.start());
    });
  }

  #leader() {
    const leaders = this.#members.filter(
      (member) => member.isRunning && member.quorum?.state.role.kind === 'leader',
    );
    return leaders.length === 0 ? undefined : this.#one(leaders).quorum;
  }

  #ask(answer: Promise<void> | undefined, what: string): void {
    answer?.then(
      () => this.#world.reach(`${what} done`),
      (error: unknown) => this.#world.note(`${what} refused: ${String(error)}`),
    );
  }

  #later(msMax: number, action: () => void): void {
    this.#world.time.clock.after(this.#upTo(msMax), action);
  }

  #upTo(ms: number): number {
    return 1 + this.#random.below(ms);
  }

  #one<Value>(values: readonly Value[]): Value {
    const value = values[this.#random.below(values.length)];
    if (value === undefined) throw new Error('there is always something to choose');
    return value;
  }
}

/** Flips a bit of one stored entry, below the store and behind its back. */
async function spoilOneEntry(machine: Machine, clock: Clock, random: SeededRandom): Promise<void> {
  const store = await machine.storage.mount(clock).open('meta', {
    durability: 'synced',
    tables: ['quorum-log'],
  });
  const rows = [...store.range('quorum-log', {})];
  const row = rows[random.below(Math.max(1, rows.length))];
  if (row !== undefined) {
    const value = Buffer.from(row.value);
    value.writeUInt8(value.readUInt8(value.length - 1) ^ 1, value.length - 1);
    await store.commit([{ table: 'quorum-log', key: row.key, value }]);
  }
  await store.close();
}
