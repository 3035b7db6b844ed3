/** The checkers of whole clusters, each with what it looks at. */
import { topicId } from '../../../proto/model/ids.ts';
import { Acknowledgements } from '../checkers/acknowledgements.ts';
import { Bounds } from '../checkers/bounds.ts';
import { Candidates } from '../checkers/candidates.ts';
import { CommittedRecords } from '../checkers/committed-records.ts';
import { Deletions } from '../checkers/deletions.ts';
import { Leases } from '../checkers/leases.ts';
import { MaximalIsr } from '../checkers/maximal-isr.ts';
import { Metadata } from '../checkers/metadata.ts';
import { OneLeader } from '../checkers/one-leader.ts';
import { OwnCuts } from '../checkers/own-cuts.ts';
import { PromisedRecords } from '../checkers/promised-records.ts';
import { Watermark } from '../checkers/watermark.ts';
import type { ToldCheckers } from './cluster-clients.ts';
import type { ClusterSwarm } from './cluster-swarm.ts';
import { ReplicaWatch, type SeenReplica } from './replica-watch.ts';
import type { SimCluster } from './sim-cluster.ts';

/** Begins to look at everything after each event; returns those who have to be told what clients are. */
export function watchCluster(cluster: SimCluster, swarm: ClusterSwarm): ToldCheckers {
  const { world } = cluster;
  const metadata = new Metadata(world, cluster);
  const told = {
    committed: new CommittedRecords(world, (place) => {
      const [id = ''] = place.split('/');
      return cluster.image.topics.get(topicId(id))?.settings.compacts ?? false;
    }),
    promised: new PromisedRecords(),
    acknowledgements: new Acknowledgements(swarm.survivesLostDisk ? 2 : 1),
  };
  const partitions = (place: string) => metadata.partition(place);
  const isFlushed = (replica: SeenReplica): boolean =>
    cluster.image.topics.get(replica.driver.topicId)?.settings.flush !== 'os';
  const compacts = ({ driver }: SeenReplica): boolean =>
    cluster.image.topics.get(driver.topicId)?.settings.compacts === true;
  const survives = (replica: SeenReplica): boolean => {
    const { place, node: id, boot, disk } = replica;
    const node = cluster.node(id);
    const wasMoved = metadata.takeMoved(place, id);
    // A suspect replica of a compacted log is copied from its beginning (rule 6.6).
    const isCopiedAnew = compacts(replica) && partitions(place)?.suspects.includes(id) === true;
    if (wasMoved || isCopiedAnew) return false;
    return node?.disks === disk && (node.boots === boot || isFlushed(replica));
  };
  const isRegistered = ({ node, start, driver }: SeenReplica): boolean =>
    cluster.node(node)?.starts === start &&
    !driver.state.isSuspect &&
    cluster.image.brokers.get(node)?.brokerEpoch === driver.state.brokerEpoch;
  const leases = new Leases(world);
  const watch = new ReplicaWatch(
    cluster,
    (self) => [
      new OneLeader(world),
      new Watermark(self),
      new MaximalIsr(partitions),
      new Candidates(partitions, {
        latest: (place, node) => self.latest(place, node),
        isRegistered,
      }),
      new OwnCuts(world, survives),
      told.acknowledgements,
      told.committed,
      told.promised,
    ],
    (node, driver) => leases.watch(node.lease, driver),
  );
  const deletions = new Deletions(world, cluster.nodes, (...replica) =>
    metadata.wasTaken(...replica),
  );
  world.watch(metadata, watch, deletions, new Bounds(world.time, cluster.nodes));
  return told;
}
