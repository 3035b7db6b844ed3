/**
 * What holds once everything is level. L10: elections and changes of the in-sync sets have an end. S21:
 * nodes at the same revision have the same image, whether from a snapshot or record by record. S23: who is
 * at rest schedules nothing that stays.
 */
import type { MetadataImage } from '../../../proto/metadata/image.ts';
import { encodeRecords } from '../../../proto/metadata/records.ts';
import { snapshotRecords } from '../../../proto/metadata/snapshot.ts';
import { Violation } from '../world.ts';
import type { SimCluster } from './sim-cluster.ts';

const calmMs = 3_000;
/** What may be scheduled more at its end than at its beginning: every timer that repeats, a few times. */
const grownMax = 1_000;
/** So many times it may still move. */
const windowsMax = 20;

/** Waits until nothing moves for a while, then compares the images. */
export async function expectCalm(cluster: SimCluster): Promise<void> {
  const { world } = cluster;
  let last = whatMayMove(cluster);
  let scheduled = world.time.pendingCount;
  for (let left = windowsMax; ; left--) {
    await world.time.advance(calmMs);
    const present = whatMayMove(cluster);
    const grown = world.time.pendingCount - scheduled;
    scheduled = world.time.pendingCount;
    if (present === last) {
      if (grown > grownMax) throw new Violation('bounds', `${grown} more events are scheduled`);
      break;
    }
    if (left === 0) throw new Violation('calm', `it still moves: ${present}`);
    last = present;
  }
  world.reach('calm');
  expectSameImages(cluster);
}

function whatMayMove(cluster: SimCluster): string {
  const partitions = cluster
    .partitions()
    .map(({ topic, state: { partition, leader, leaderEpoch, isr } }) =>
      [`${topic.name}/${partition}`, leader, leaderEpoch, isr.join()].join(' '),
    );
  const terms = cluster.nodes.map(({ running }) => running?.controller?.quorum.state.hard.term);
  return [...partitions.sort(), `terms ${terms.join()}`].join('; ');
}

function expectSameImages(cluster: SimCluster): void {
  const texts = new Map<number, string>();
  for (const { id, running } of cluster.nodes) {
    for (const image of [running?.controller?.image, running?.broker?.image]) {
      if (image === undefined) continue;
      const text = textOf(image);
      const known = texts.get(image.revision);
      texts.set(image.revision, text);
      if (known !== undefined && known !== text)
        throw new Violation('images-agree', `node ${id} has another image at ${image.revision}`);
    }
  }
}

/** The records of a snapshot, in an order that does not depend on how the image came about. */
function textOf(image: MetadataImage): string {
  const records = Array.from(snapshotRecords(image), (record) =>
    Buffer.from(encodeRecords([record])).toString('hex'),
  );
  return records.sort().join('\n');
}
