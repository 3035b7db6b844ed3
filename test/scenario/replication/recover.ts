/** What a process finds on its disk at start, as the core takes it. */
import type { EpochStart } from '../../../broker/log/core/epoch-history.ts';
import { createPartition } from '../../../broker/replication/core/partition.ts';
import type { Rules } from '../../../broker/replication/core/rules.ts';
import type { PartitionState } from '../../../broker/replication/core/state.ts';
import { brokerEpoch, leaderEpoch, offset } from '../../../proto/model/offset.ts';
import { type Controller, currentMetadata } from './controller-twin.ts';
import type { TestBroker } from './world.ts';

/** A core over what the disk holds; it forfeits the epoch that the metadata has it leading. */
export function recoverCore(
  controller: Controller,
  disk: Pick<TestBroker, 'node' | 'records' | 'verifiedEpoch' | 'hasLostStorage'>,
  rules: Rules | undefined,
): PartitionState {
  const metadata = currentMetadata(controller);
  const history: EpochStart[] = [];
  for (const [index, { epoch }] of disk.records.entries()) {
    if (history.at(-1)?.epoch === epoch) continue;
    history.push({ epoch: leaderEpoch(epoch), startOffset: offset(index) });
  }
  const isRestart = controller.versions.length > 1;
  return createPartition({
    self: disk.node,
    brokerEpoch: brokerEpoch(controller.registered.get(disk.node) ?? 0),
    logStart: offset(0),
    logEnd: offset(disk.records.length),
    history,
    watermark: offset(0),
    verifiedEpoch: leaderEpoch(disk.verifiedEpoch),
    // A broker knows of its loss what was committed with its registration (rule B3.10).
    isSuspect:
      controller.production === undefined
        ? disk.hasLostStorage
        : controller.suspects.includes(disk.node),
    forfeitedEpoch: isRestart && metadata.leader === disk.node ? metadata.leaderEpoch : undefined,
    isLeaseHeld: true,
    ...(rules === undefined ? {} : { rules }),
  });
}
