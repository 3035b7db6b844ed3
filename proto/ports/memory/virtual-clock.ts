/**
 * One node's view of virtual time: a Clock whose callbacks are events of a shared queue.
 *
 * A paused clock is a stopped process (SIGSTOP): its callbacks are held and run late, in order, after
 * `resume`, while time itself goes on. A stopped clock is a crashed process: nothing that it was
 * asked to call is ever called, and nothing it is asked later either.
 */
import { invariant } from '../../model/invariant.ts';
import type { Clock, Timer } from '../clock.ts';
import type { VirtualEvent } from './virtual-event.ts';

/** How a node's clocks differ from true time. All default to "not at all". */
export interface VirtualClockOptions {
  /** Monotonic milliseconds that pass on this node in one true millisecond. */
  readonly rate?: number;
  /** Value of `now()` at the start of time: origins differ, so a leaked `now` is found. */
  readonly originMs?: number;
  /** How far this node's wall clock is ahead of the true one. */
  readonly wallSkewMs?: number;
}

/** What a clock needs of the queue behind it; times in whole virtual microseconds. */
export interface EventScheduler {
  nowMicros(): number;
  schedule(at: number, owner: VirtualClock, callback: () => void): Timer;
}

/** Wall-clock time at the start of virtual time: 2026-01-01T00:00:00Z. */
export const wallStartMs = 1_767_225_600_000;

export class VirtualClock implements Clock {
  readonly name: string;
  readonly #scheduler: EventScheduler;
  readonly #rate: number;
  readonly #originMs: number;
  #wallSkewMs: number;
  #state: 'running' | 'paused' | 'stopped' = 'running';
  /** Events that came due while paused, in the order they were due. */
  #held: VirtualEvent[] = [];

  constructor(name: string, scheduler: EventScheduler, options: VirtualClockOptions = {}) {
    this.name = name;
    this.#scheduler = scheduler;
    this.#rate = options.rate ?? 1;
    this.#originMs = options.originMs ?? 0;
    this.#wallSkewMs = options.wallSkewMs ?? 0;
    invariant(this.#rate > 0, 'a clock runs forward');
  }

  get isPaused(): boolean {
    return this.#state === 'paused';
  }

  get isStopped(): boolean {
    return this.#state === 'stopped';
  }

  now(): number {
    return this.#originMs + (this.#scheduler.nowMicros() / 1000) * this.#rate;
  }

  wall(): number {
    return Math.floor(wallStartMs + this.#wallSkewMs + this.#scheduler.nowMicros() / 1000);
  }

  after(ms: number, callback: () => void): Timer {
    // Rounded up, so that a callback never comes before its time.
    const micros = Math.ceil((Math.max(0, ms) / this.#rate) * 1000);
    return this.#schedule(this.#scheduler.nowMicros() + micros, callback);
  }

  soon(callback: () => void): void {
    this.#schedule(this.#scheduler.nowMicros(), callback);
  }

  /** The wall clock steps by so much, forward or back; the monotonic one does not. */
  jumpWall(ms: number): void {
    this.#wallSkewMs += ms;
  }

  pause(): void {
    if (this.#state === 'running') this.#state = 'paused';
  }

  /** What came due during the pause runs from here on, each as an event of its own. */
  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    const held = this.#held;
    this.#held = [];
    for (const event of held) this.#schedule(this.#scheduler.nowMicros(), () => event.run());
  }

  /** A crash: cancels everything, for ever. */
  stop(): void {
    this.#state = 'stopped';
    this.#held = [];
  }

  /** Called by the queue when an event of this clock is due. */
  deliver(event: VirtualEvent): void {
    event.hold();
    if (this.#state === 'running') event.run();
    else if (this.#state === 'paused') this.#held.push(event);
  }

  #schedule(at: number, callback: () => void): Timer {
    if (this.#state === 'stopped') return cancelledTimer;
    return this.#scheduler.schedule(at, this, callback);
  }
}

const cancelledTimer: Timer = { cancel() {} };
