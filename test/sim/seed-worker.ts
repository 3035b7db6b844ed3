/** A process that runs the seeds which its parent names, one after the other, and sends what each came to. */
import { runTimed, type SeedOrder } from './seed-pool.ts';

/** Serves for as long as the parent is there. */
export function serveSeeds(): void {
  let last = Promise.resolve();
  process.on('message', (order: SeedOrder) => {
    last = last.then(async () => {
      const result = await runTimed(order.run, order.seed);
      // The trace of a run in which everything holds is of no interest.
      const tail = result.violation === undefined ? [] : result.tail;
      process.send?.({ ...result, tail });
    });
  });
  process.on('disconnect', () => process.exit());
}
