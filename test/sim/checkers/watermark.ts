/**
 * S8: the watermark of a leader never goes back within its epoch, lies within its log, and is nowhere
 * above what a member of the maximal ISR has stored, the ones that are down included.
 */
import type { ReplicaChange, ReplicaChecker, ReplicaWatch } from '../cluster/replica-watch.ts';
import { Violation } from '../world.ts';
import { maximalIsr } from './maximal-isr.ts';

export class Watermark implements ReplicaChecker {
  readonly #watch: Pick<ReplicaWatch, 'latest'>;

  constructor(watch: Pick<ReplicaWatch, 'latest'>) {
    this.#watch = watch;
  }

  changed({ replica, before }: ReplicaChange): void {
    const { driver, watermark, end, node, place } = replica;
    const who = `node ${node} ${place}`;
    if (watermark > end)
      throw new Violation('watermark', `${who}: ${watermark} above the log's end ${end}`);
    const { uncleanEpoch } = driver.state.metadata ?? {};
    if (before !== undefined && watermark < before.watermark && uncleanEpoch === undefined)
      throw new Violation('watermark', `${who}: back from ${before.watermark} to ${watermark}`);
    const { role } = replica;
    const hasRisen = before?.role === role && watermark > before.watermark;
    if (role.kind !== 'leader' || !hasRisen) return;
    for (const member of maximalIsr(replica)) {
      const other = this.#watch.latest(place, member);
      if (other === undefined || other.driver.state.log.stored >= watermark) continue;
      const { stored } = other.driver.state.log;
      throw new Violation('watermark', `${who}: ${watermark}, but node ${member} stored ${stored}`);
    }
  }
}
