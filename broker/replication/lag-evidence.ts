/**
 * How far the members that a leader proposes to remove are behind in bytes, for the flight recorder. The
 * log has to be asked, so the proposal waits for the answer; not for a disk that gives none, and not
 * where thousands of partitions shrink at once.
 */
import type { NodeId } from '../../proto/model/ids.ts';
import type { Offset } from '../../proto/model/offset.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import type { ReplicaLog } from './replica-log.ts';

const waitMs = 50;
const underWayMax = 64;

export class LagEvidence {
  readonly #clock: Clock;
  #underWay = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls back once, at once where there is nothing to ask: an entry for each member that was measured. */
  measure(
    log: ReplicaLog,
    stored: ReadonlyMap<NodeId, Offset>,
    done: (evidence: ReadonlyMap<string, string>) => void,
  ): void {
    if (stored.size === 0 || this.#underWay >= underWayMax) return done(new Map());
    this.#underWay++;
    let isDone = false;
    const end = (found: readonly (readonly [string, string])[]): void => {
      if (isDone) return;
      isDone = true;
      timer.cancel();
      done(new Map(found));
    };
    const timer = this.#clock.after(waitMs, () => end([]));
    const logEnd = log.endOffset;
    const asking = Array.from(stored, async ([node, from]) => {
      const bytes = await log.bytesBetween(from, logEnd);
      return [`behindBytes.${node}`, String(bytes)] as const;
    });
    Promise.all(asking)
      .then(end, () => end([]))
      .finally(() => this.#underWay--);
  }
}
