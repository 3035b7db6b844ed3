/** One leader on a log of its own, to which tests speak as followers do. */
import type { PartitionSettings } from '../../../broker/replication/core/metadata.ts';
import { nodeId } from '../../../proto/model/ids.ts';
import { brokerEpoch, leaderEpoch, offset } from '../../../proto/model/offset.ts';
import type { LinkEndpoint } from '../../../proto/ports/link.ts';
import { checkProducedBatch } from '../../../proto/wire/produce-check.ts';
import { noPeers } from '../../support/no-peers.ts';
import { batch } from '../log/batches.ts';
import { metadata, nodes } from './core/builders.ts';
import { loneReplica } from './lone-replica.ts';

/** Node 1 leads; 3 is in sync; 2 copies, and may not join. One record is in the log. */
export async function leaderOfOne(
  settings: Partial<PartitionSettings> = {},
  endpoint: LinkEndpoint = noPeers,
) {
  const { world, driver, proposals } = await loneReplica(1, endpoint);
  const { clock } = world;
  const facts = metadata({ isr: nodes(1, 3) }, settings);
  const replicas = facts.replicas.map((one) => ({ ...one, isEligible: one.nodeId !== 2 }));
  driver.step({ kind: 'metadata', metadata: { ...facts, replicas } });
  for (const id of [2, 3])
    driver.step({
      ...{ kind: 'follower-opened', follower: nodeId(id), brokerEpoch: brokerEpoch(id), stream: 1 },
      ...{ leaderEpoch: leaderEpoch(1), lastEpoch: undefined, logEnd: offset(0) },
    });
  const bytes = batch({ baseOffset: 0, payload: 10 });
  const span = { at: 0, end: bytes.length };
  const header = checkProducedBatch(bytes, span, { batchBytesMax: 2 ** 20, nowMs: clock.wall() });
  if (header.kind === 'fault') throw new Error(header.reason);
  const options = { acks: 'leader', deadlineMs: 60_000, expectedOffset: undefined } as const;
  driver.produce(bytes, header, options, () => {});
  await world.settle();
  return { world, driver, proposals };
}
