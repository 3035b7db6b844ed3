/**
 * What a replica with damage or suspect storage does before it takes part again: what is bad goes, and
 * the leader's copy takes its place.
 *
 * Nothing is cut while this replica may be needed: only when another one leads and the committed
 * in-sync set does without this one. Until the in-sync set takes it in again it is suspect, by the
 * mark in its record and by its answers in election rounds (rule 6.6).
 *
 * A compacted log is copied from its beginning: this replica may still hold a record whose newer
 * version it lost, and the leader no longer has the mark that would delete it.
 */
import type { PartitionState } from '../../proto/generated/highwater/metadata/v1/records.ts';
import type { NodeId } from '../../proto/model/ids.ts';
import { logName } from '../log/log-key.ts';
import type { PartitionLog } from '../log/partition-log.ts';

/** `wait`: it must be cut and may not be yet, so it is not hosted. */
export type RepairVerdict = 'host' | 'wait' | 'cut';

/** One replica, as far as it matters here. */
export interface RepairedReplica {
  readonly log: PartitionLog;
  readonly partition: PartitionState;
  readonly isCompacted: boolean;
}

export class ReplicaRepair {
  readonly #self: NodeId;
  /** Cut by this process, and not in the in-sync set since. */
  readonly #refilling = new Set<string>();

  constructor(self: NodeId) {
    this.#self = self;
  }

  judge(replica: RepairedReplica): RepairVerdict {
    const { log, partition } = replica;
    if (this.#refilling.has(logName(log.key))) return 'host';
    const { damage } = log;
    const hasBadBytes = damage !== undefined && damage.at < log.logEndOffset;
    const hasOldRecords = replica.isCompacted && this.#isSuspect(replica) && !isEmpty(log);
    if (!hasBadBytes && !hasOldRecords) return 'host';
    if (this.#isDispensable(partition)) return 'cut';
    return hasBadBytes ? 'wait' : 'host';
  }

  /** Cuts what is not to be trusted. Durable when it resolves. */
  async cut({ log, isCompacted }: RepairedReplica): Promise<void> {
    this.#refilling.add(logName(log.key));
    const { damage, logStartOffset } = log;
    if (isCompacted || damage === undefined || damage.at <= logStartOffset) {
      await log.resetTo(logStartOffset);
      return;
    }
    // All below the leader's watermark is at the leader, which is not suspect.
    if (damage.at < log.highWatermark) log.setHighWatermark(damage.at);
    await log.truncateTo(damage.at, { keepAside: false });
  }

  /** Bad bytes were found in it: what was copied before does not count. */
  damaged(log: Pick<PartitionLog, 'key'>): void {
    this.#refilling.delete(logName(log.key));
  }

  /**
   * A replica is hosted: with a damage mark it is being refilled. A suspect one without a record, as on a
   * disk that was lost, is copied from its beginning too; what it copies is not to be cut once more.
   */
  hosted(replica: RepairedReplica): void {
    const { log } = replica;
    if (log.damage !== undefined || (this.#isSuspect(replica) && isEmpty(log)))
      this.#refilling.add(logName(log.key));
  }

  /** True once, when the in-sync set has taken a refilled replica in. */
  isRefilled(log: Pick<PartitionLog, 'key'>, partition: PartitionState): boolean {
    if (!partition.isr.includes(this.#self)) return false;
    return this.#refilling.delete(logName(log.key));
  }

  #isSuspect({ log, partition }: RepairedReplica): boolean {
    return log.damage !== undefined || partition.suspects.includes(this.#self);
  }

  #isDispensable({ leader, isr }: PartitionState): boolean {
    return leader !== undefined && leader !== this.#self && !isr.includes(this.#self);
  }
}

function isEmpty({ logStartOffset, logEndOffset }: PartitionLog): boolean {
  return logEndOffset === logStartOffset;
}
