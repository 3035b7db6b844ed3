import type { Clock } from '../../proto/ports/clock.ts';
import type { PartitionDriver } from '../replication/partition-driver.ts';

/** Resolves when the replica's watermark or role has moved, or the time is over; nothing is left behind. */
export function movedWithin(
  replica: Pick<PartitionDriver, 'onceMoved'>,
  clock: Clock,
  ms: number,
): Promise<void> {
  return new Promise((resolve) => {
    const stop = replica.onceMoved(() => {
      timer.cancel();
      resolve();
    });
    const timer = clock.after(ms, () => {
      stop();
      resolve();
    });
  });
}
