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
import { EventQueue, type QueuedEvent } from './event-queue.ts';
import { VirtualClock, type VirtualClockOptions } from './virtual-clock.ts';

interface VirtualEvent extends QueuedEvent {
  readonly owner: VirtualClock | undefined;
  readonly callback: () => void;
  /** Set by `cancel`; the event stays queued until it is due or pruned. */
  isCancelled: boolean;
}

/** Events run in one phase of the real event loop: one poll of the system serves them all. */
const eventsPerPhase = 64;
/** Cancelled events that may stay queued before they are pruned. */
const cancelledKeptMax = 1024;

export class VirtualTime {
  readonly #queue = new EventQueue<VirtualEvent>();
  #nowMicros = 0;
  #sequence = 0;
  #cancelledCount = 0;
  #isDriven = false;
  #executedCount = 0;
  #observer: (() => void) | undefined;
  /** The clock of the world itself: networks, disks, test scripts. Never paused. */
  readonly clock: VirtualClock;

  constructor() {
    this.clock = this.clockFor('world');
  }

  /** True milliseconds since the start. */
  now(): number {
    return this.#nowMicros / 1000;
  }

  /** Events run so far: a cheap stamp to compare two runs by. */
  get executedCount(): number {
    return this.#executedCount;
  }

  /** True if nothing will ever happen again unless something is scheduled from outside. */
  get isIdle(): boolean {
    return this.#queue.size === this.#cancelledCount;
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

  /** Calls `observer` after each event and all it set off: where invariants are checked. */
  observe(observer: () => void): void {
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

  #schedule(at: number, owner: VirtualClock | undefined, callback: () => void): Timer {
    const event: VirtualEvent = {
      at,
      sequence: this.#sequence++,
      owner,
      callback,
      isCancelled: false,
    };
    this.#queue.push(event);
    return { cancel: () => this.#cancel(event) };
  }

  #cancel(event: VirtualEvent): void {
    // An event that has left the queue is marked too, so a late cancel does not count as queued.
    if (event.isCancelled) return;
    event.isCancelled = true;
    this.#cancelledCount++;
    if (this.#cancelledCount > cancelledKeptMax && this.#cancelledCount * 2 > this.#queue.size) {
      this.#queue.prune((queued) => !queued.isCancelled);
      this.#cancelledCount = 0;
    }
  }

  /** Runs the earliest event not after `limit`; false if there is none. */
  #runNext(limit: number): boolean {
    for (;;) {
      const event = this.#queue.peek();
      if (event === undefined || event.at > limit) return false;
      this.#queue.pop();
      if (event.isCancelled) {
        this.#cancelledCount--;
        continue;
      }
      event.isCancelled = true;
      this.#nowMicros = event.at;
      this.#executedCount++;
      if (event.owner === undefined) event.callback();
      else event.owner.deliver(event.callback);
      return true;
    }
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
          if (hasRun) this.#observer?.();
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
