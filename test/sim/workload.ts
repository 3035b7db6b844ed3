/**
 * What the controllers would do with the quorum: propose changes and ask for linearizable reads, and
 * remember every answer. The answers are compared with what was committed.
 *
 * Checked: an acknowledged change is committed where the answer says, for ever; a definitely refused
 * one never is; none is committed twice; a read sees everything acknowledged before it began.
 */
import { HighwaterError } from '../../proto/model/errors.ts';
import type { SeededRandom } from '../../proto/ports/memory/seeded-random.ts';
import type { CommittedLog } from './checkers/committed-log.ts';
import type { Member } from './quorum-process.ts';
import type { Swarm } from './swarm.ts';
import { Violation, type World } from './world.ts';

export class Workload {
  acknowledged = 0;
  reads = 0;
  readonly #world: World;
  readonly #members: readonly Member[];
  readonly #committed: CommittedLog;
  readonly #random: SeededRandom;
  readonly #everyMs: number;
  /** Changes that were certainly not proposed. */
  readonly #refused = new Set<string>();
  #proposed = 0;
  #lastAcknowledged = 0;
  #isOver = false;
  /** Answers of the event under way: what is committed is known once it is over. */
  readonly #answers: { readonly text: string; readonly index: number }[] = [];

  constructor(
    world: World,
    members: readonly Member[],
    options: { readonly committed: CommittedLog; readonly swarm: Swarm },
  ) {
    this.#world = world;
    this.#members = members;
    this.#committed = options.committed;
    this.#everyMs = options.swarm.proposeEveryMs;
    this.#random = world.random.fork('workload');
  }

  async run(): Promise<void> {
    while (!this.#isOver) {
      await this.#world.sleep(1 + this.#random.below(2 * this.#everyMs));
      const member = this.#target();
      if (member === undefined) continue;
      if (this.#random.below(4) === 0) void this.#read(member);
      else void this.#propose(member);
    }
  }

  stop(): void {
    this.#isOver = true;
  }

  /** Proposes once at whoever leads; true if it was acknowledged. */
  async proposeAtLeader(): Promise<boolean> {
    const member = this.#leaders()[0];
    return member === undefined ? false : this.#propose(member);
  }

  /** Called after every event. */
  check(): void {
    for (const { text, index } of this.#answers.splice(0)) {
      const entry = this.#committed.entries[index - 1]?.entry;
      const data = entry?.body.kind === 'command' ? Buffer.from(entry.body.data).toString() : '';
      if (data !== text) {
        throw new Violation('acknowledged-is-committed', `${text} is not at ${index}`);
      }
    }
  }

  /** At the end: every change of the log at most once, and none that was refused. */
  checkHistory(): void {
    const seen = new Set<string>();
    for (const { entry } of this.#committed.entries) {
      if (entry.body.kind !== 'command') continue;
      const text = Buffer.from(entry.body.data).toString();
      if (seen.has(text)) throw new Violation('applied-once', `${text} is committed twice`);
      if (this.#refused.has(text))
        throw new Violation('refused-is-refused', `${text} is committed`);
      seen.add(text);
    }
  }

  async #propose(member: Member): Promise<boolean> {
    const text = `change ${++this.#proposed} ${'x'.repeat(this.#random.below(60))}`;
    const { quorum } = member;
    if (quorum === undefined) return false;
    try {
      const index = await quorum.propose(Buffer.from(text));
      this.#answers.push({ text, index });
      this.acknowledged++;
      this.#lastAcknowledged = Math.max(this.#lastAcknowledged, index);
      return true;
    } catch (caught) {
      const error = HighwaterError.from(caught);
      this.#world.reach(`propose ${error.code}`);
      if (error.outcome === 'not-written') this.#refused.add(text);
      return false;
    }
  }

  async #read({ quorum }: Member): Promise<void> {
    const before = this.#lastAcknowledged;
    try {
      const index = await quorum?.readIndex();
      if (index !== undefined && index < before) {
        this.#world.fail(
          'linearizable-read',
          `a read saw ${index}, ${before} was acknowledged before`,
        );
      }
      this.reads++;
    } catch (caught) {
      this.#world.reach(`read ${HighwaterError.from(caught).code}`);
    }
  }

  /** Mostly whoever believes to lead, an outdated leader as well; sometimes anybody. */
  #target(): Member | undefined {
    const running = this.#members.filter((member) => member.isRunning);
    const leaders = this.#leaders();
    const from = leaders.length > 0 && this.#random.below(8) > 0 ? leaders : running;
    return from[this.#random.below(Math.max(1, from.length))];
  }

  #leaders(): readonly Member[] {
    return this.#members.filter(
      (member) => member.isRunning && member.quorum?.state.role.kind === 'leader',
    );
  }
}
