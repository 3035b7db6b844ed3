/**
 * Virtual time: one queue of events for a whole simulated cluster, run one event at a time.
 *
 * Between two events every promise reaction that the first one set off has run, so shells that use
 * promises over in-memory ports behave the same on every run. What waits for the real world (the
 * thread pool, a socket, a real timer) does not belong into a simulation.
 *
 * Time is whole microseconds, so no rounding depends on how long a run is.
 */
import { invariant } from '../../model/invariant.ts';
import type { Timer } from '../clock.ts';
import { EventQueue } from './event-queue.ts';
import { VirtualClock, type VirtualClockOptions } from './virtual-clock.ts';
import { VirtualEvent } from './virtual-event.ts';

/** Events run in one phase of the real event loop: one poll of the system serves them all. */
const eventsPerPhase = 64;
/** Cancelled events that may stay queued before they are pruned. */
const cancelledKeptMax = 1024;

export class VirtualTime {
  readonly #queue = new EventQueue<VirtualEvent>();
  /** What is due at this very moment, first come first served from `#soonAt` on: most events are. */
  readonly #soon: VirtualEvent[] = [];
  #soonAt = 0;
  #nowMicros = 0;
  #sequence = 0;
  #cancelledCount = 0;
  #isDriven = false;
  #executedCount = 0;
  #observer: ((owner: VirtualClock) => void) | undefined;
  /** Whose event ran last. */
  #owner: VirtualClock;
  readonly #onCancel = (): void => this.#cancelled();
  /** The clock of the world itself: networks, disks, test scripts. Never paused. */
  readonly clock: VirtualClock;

  constructor() {
    this.clock = this.clockFor('world');
    this.#owner = this.clock;
  }

  /** True milliseconds since the start. */
  now(): number {
    return this.#nowMicros / 1000;
  }

  /** Events run so far: a cheap stamp to compare two runs by. */
  get executedCount(): number {
    return this.#executedCount;
  }

  /** Events that are still to come, cancelled ones aside. */
  get pendingCount(): number {
    return this.#queue.size + this.#soon.length - this.#soonAt - this.#cancelledCount;
  }

  /** True if nothing will ever happen again unless something is scheduled from outside. */
  get isIdle(): boolean {
    return this.pendingCount === 0;
  }

  /** A new clock of a node; ask once per process, so that a crash stops the old one only. */
  clockFor(name: string, options: VirtualClockOptions = {}): VirtualClock {
    return new VirtualClock(
      name,
      {
        nowMicros: () => this.#nowMicros,
        schedule: (at, owner, callback) => this.#schedule(at, owner, callback),
      },
      options,
    );
  }

  /**
   * Calls `observer` after each event and all it set off: where invariants are checked. It is told whose
   * clock the event was of.
   */
  observe(observer: (owner: VirtualClock) => void): void {
    this.#observer = observer;
  }

  /** Runs what promises have ready, and no event. */
  async settle(): Promise<void> {
    await this.#drive(() => false);
  }

  /** Runs all events of the next `ms`; afterwards exactly so much time has passed. */
  async advance(ms: number): Promise<void> {
    await this.runUntil(() => false, ms);
  }

  /**
   * Runs events until the predicate holds (checked before the first and after each) or `maxMs` have
   * passed, and says which. If the queue runs dry, time jumps to the limit.
   */
  async runUntil(predicate: () => boolean, maxMs: number): Promise<boolean> {
    const limit = this.#nowMicros + Math.ceil(maxMs * 1000);
    let isReached = false;
    await this.#drive(() => {
      isReached = predicate();
      return !isReached && this.#runNext(limit);
    });
    if (!isReached) this.#nowMicros = limit;
    return isReached;
  }

  /** Runs events until the queue is empty; fails after `maxEvents`, since periodic timers never end. */
  async runUntilIdle(maxEvents = 1_000_000): Promise<void> {
    const last = this.#executedCount + maxEvents;
    await this.#drive(() => {
      invariant(this.#executedCount < last, `the queue runs dry within ${maxEvents} events`);
      return this.#runNext(Number.MAX_SAFE_INTEGER);
    });
  }

  /** Runs events until the promise settles, and returns or throws what it settled to. */
  async complete<Value>(promise: Promise<Value>, maxMs: number): Promise<Value> {
    let isSettled = false;
    const note = () => {
      isSettled = true;
    };
    promise.then(note, note);
    const isReached = await this.runUntil(() => isSettled, maxMs);
    invariant(isReached, `the promise settles within ${maxMs} virtual milliseconds`);
    return promise;
  }

  #schedule(at: number, owner: VirtualClock, callback: () => void): Timer {
    const event = new VirtualEvent(at, this.#sequence++, {
      owner,
      callback,
      onCancel: this.#onCancel,
    });
    if (at === this.#nowMicros) this.#soon.push(event);
    else this.#queue.push(event);
    return event;
  }

  #cancelled(): void {
    this.#cancelledCount++;
    if (this.#cancelledCount <= cancelledKeptMax) return;
    if (this.#cancelledCount * 2 <= this.#queue.size) return;
    this.#queue.prune((queued) => queued.isWanted);
    // Those that are due at this moment leave by themselves.
    this.#cancelledCount = 0;
    for (let index = this.#soonAt; index < this.#soon.length; index++)
      if (this.#soon[index]?.isWanted === false) this.#cancelledCount++;
  }

  /** Runs the earliest event not after `limit`; false if there is none. */
  #runNext(limit: number): boolean {
    for (;;) {
      const event = this.#takeNext(limit);
      if (event === undefined) return false;
      if (!event.isWanted) {
        this.#cancelledCount--;
        continue;
      }
      this.#nowMicros = event.at;
      this.#executedCount++;
      this.#owner = event.owner;
      event.owner.deliver(event);
      return true;
    }
  }

  /** What is due at this moment comes before what is due later, and behind what was asked for earlier. */
  #takeNext(limit: number): VirtualEvent | undefined {
    const soon = this.#soon[this.#soonAt];
    const queued = this.#queue.peek();
    if (soon === undefined) {
      if (queued === undefined || queued.at > limit) return undefined;
      this.#queue.pop();
      return queued;
    }
    if (queued !== undefined && queued.at <= soon.at && queued.sequence < soon.sequence) {
      this.#queue.pop();
      return queued;
    }
    if (++this.#soonAt === this.#soon.length) {
      this.#soon.length = 0;
      this.#soonAt = 0;
    }
    return soon;
  }

  /**
   * Calls `turn` until it returns false, once per immediate: Node drains promise reactions and ticks
   * between two immediates of the same phase, which is what makes each turn see a settled world.
   */
  #drive(turn: () => boolean): Promise<void> {
    invariant(!this.#isDriven, 'one driver at a time runs virtual time');
    this.#isDriven = true;
    return new Promise<void>((resolve, reject) => {
      let isOver = false;
      let hasRun = false;
      let leftInPhase = 0;
      const end = (settle: () => void) => {
        isOver = true;
        this.#isDriven = false;
        settle();
      };
      const step = () => {
        leftInPhase--;
        if (isOver) return;
        try {
          if (hasRun) this.#observer?.(this.#owner);
          hasRun = true;
          if (!turn()) end(resolve);
        } catch (error) {
          end(() => reject(error));
        }
        if (!isOver && leftInPhase === 0) startPhase();
      };
      const startPhase = () => {
        leftInPhase = eventsPerPhase;
        for (let index = 0; index < eventsPerPhase; index++) setImmediate(step);
      };
      startPhase();
    });
  }
}
