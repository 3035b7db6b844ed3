/**
 * A simulated world: virtual time, one network, machines with disks, and checkers that look at
 * everything after every event. It knows no quorum and no broker: programs run on its machines.
 *
 * All chance comes from one seed, split by subsystem, so that one more draw in one place does not
 * reshuffle the others.
 */
import { MemoryNetwork } from '../../proto/link/memory/memory-network.ts';
import { SeededRandom } from '../../proto/ports/memory/seeded-random.ts';
import { VirtualTime } from '../../proto/ports/memory/virtual-time.ts';
import type { Machine } from './machine.ts';
import { Trace } from './trace.ts';

/** Looks at the world after every event, and throws a Violation if what must hold does not. */
export interface Checker {
  readonly name: string;
  check(): void;
}

/** What a run of one seed came to, whatever was simulated. */
export interface RunResult {
  readonly seed: number;
  readonly swarm: object;
  /** What does not hold, or undefined if everything did. */
  readonly violation: string | undefined;
  readonly stamp: string;
  readonly events: number;
  readonly virtualMs: number;
  readonly acknowledged: number;
  readonly reached: ReadonlyMap<string, number>;
  readonly tail: readonly string[];
}

/** An invariant that does not hold, by its name. */
export class Violation extends Error {
  override readonly name = 'Violation';
  readonly invariant: string;

  constructor(invariant: string, what: string) {
    super(`${invariant}: ${what}`);
    this.invariant = invariant;
  }
}

export class World {
  readonly seed: number;
  readonly time = new VirtualTime();
  readonly random: SeededRandom;
  readonly network: MemoryNetwork;
  readonly trace = new Trace();
  readonly machines: Machine[] = [];
  /** How often each interesting situation came up: a set of seeds that never gets there shows nothing. */
  readonly reached = new Map<string, number>();
  readonly #checkers: Checker[] = [];
  #failure: Violation | undefined;

  constructor(seed: number) {
    this.seed = seed;
    this.random = new SeededRandom(seed);
    this.network = new MemoryNetwork(this.time.clock, this.random.fork('network'));
    this.time.observe(() => {
      if (this.#failure !== undefined) throw this.#failure;
      for (const checker of this.#checkers) checker.check();
    });
  }

  watch(...checkers: readonly Checker[]): void {
    this.#checkers.push(...checkers);
  }

  /** Notes that a situation came up. */
  reach(situation: string): void {
    this.reached.set(situation, (this.reached.get(situation) ?? 0) + 1);
  }

  /** Ends the run after this event: for what is found inside a process, which might survive a throw. */
  fail(invariant: string, what: string): void {
    this.#failure ??= new Violation(invariant, what);
  }

  /** One line of the trace, with the time. */
  note(line: string): void {
    this.trace.add(`${this.time.now().toFixed(3)} ${line}`);
  }

  /** Waits on the world's own clock. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.time.clock.after(ms, resolve);
    });
  }
}
