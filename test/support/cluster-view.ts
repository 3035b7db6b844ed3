export {
  leaderWithIsr,
  type PartitionPlace,
  partitionInfo,
  readReplica,
  until,
} from '../../broker/main/fleet/cluster-view.ts';
