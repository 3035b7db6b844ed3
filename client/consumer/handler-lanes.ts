/**
 * Handlers side by side: records of one key go to one lane and are handled there one after the other;
 * records without a key go to the lane that has least to do. What may be committed is what every lane
 * together has left behind, which the offset tracker knows.
 */
import type { ReadRecord } from '../reader/read-record.ts';
import { laneOfKey } from './core/key-lane.ts';
import type { Delivery } from './record-source.ts';

/** Handles one record; what it throws ends the run. */
export type LaneHandler = (delivery: Delivery<ReadRecord>) => Promise<void>;

/** Records that wait in front of a lane: enough that a lane is not idle while the next are read. */
const waitingMax = 16;

interface Lane {
  readonly waiting: Delivery<ReadRecord>[];
  isRunning: boolean;
}

export class HandlerLanes {
  readonly #lanes: readonly Lane[];
  readonly #handle: LaneHandler;
  readonly #onFailure: (error: unknown) => void;
  #isStopped = false;
  #running = 0;
  readonly #onRoom: (() => void)[] = [];
  readonly #onIdle: (() => void)[] = [];

  constructor(lanes: number, handle: LaneHandler, onFailure: (error: unknown) => void) {
    this.#lanes = Array.from({ length: lanes }, () => ({ waiting: [], isRunning: false }));
    this.#handle = handle;
    this.#onFailure = onFailure;
  }

  /** Resolves once the record has found its place. */
  async push(delivery: Delivery<ReadRecord>): Promise<void> {
    const lane = this.#laneOf(delivery.item);
    while (lane.waiting.length >= waitingMax && !this.#isStopped)
      await new Promise<void>((resolve) => this.#onRoom.push(resolve));
    const { owned, tracker, offset } = delivery;
    // What came to be let go while it waited here would wait for a handler of another partition.
    if (this.#isStopped || owned.isClosed || owned.tracker !== tracker) {
      owned.abandon(tracker, offset);
      return;
    }
    lane.waiting.push(delivery);
    if (!lane.isRunning) void this.#run(lane);
  }

  /** Begins no more; resolves when the handlers under way have ended. */
  stop(): Promise<void> {
    this.#isStopped = true;
    for (const { waiting } of this.#lanes)
      for (const { owned, tracker, offset } of waiting.splice(0)) owned.abandon(tracker, offset);
    this.#wake(this.#onRoom);
    if (this.#running === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }

  /** Partitions are on their way to other members: what waits of them is not begun. */
  dropClosed(): void {
    for (const { waiting } of this.#lanes) {
      const kept = waiting.filter(({ owned }) => !owned.isClosed);
      for (const { owned, tracker, offset } of waiting)
        if (owned.isClosed) owned.abandon(tracker, offset);
      waiting.splice(0, waiting.length, ...kept);
    }
    this.#wake(this.#onRoom);
  }

  #laneOf(record: ReadRecord): Lane {
    const lanes = this.#lanes;
    const keyed = record.key === null ? undefined : lanes[laneOfKey(record.key, lanes.length)];
    if (keyed !== undefined) return keyed;
    return lanes.reduce((least, lane) => (loadOf(lane) < loadOf(least) ? lane : least));
  }

  async #run(lane: Lane): Promise<void> {
    lane.isRunning = true;
    this.#running++;
    for (let next = lane.waiting.shift(); next !== undefined; next = lane.waiting.shift()) {
      this.#wake(this.#onRoom);
      const { owned, tracker, offset } = next;
      // A partition that is on its way to another member is not worked on any further.
      if (owned.isClosed || owned.tracker !== tracker) {
        owned.abandon(tracker, offset);
        continue;
      }
      try {
        await this.#handle(next);
        owned.finish(tracker, offset);
      } catch (error) {
        owned.abandon(tracker, offset);
        this.#onFailure(error);
      }
    }
    lane.isRunning = false;
    this.#running--;
    if (this.#running === 0) this.#wake(this.#onIdle);
  }

  #wake(waiting: (() => void)[]): void {
    for (const resolve of waiting.splice(0)) resolve();
  }
}

function loadOf(lane: Lane): number {
  return lane.waiting.length + (lane.isRunning ? 1 : 0);
}
