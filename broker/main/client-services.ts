/** What a broker offers to clients: every public service, joined to the parts of the role behind it. */
import { controlMethods } from '../../proto/link/control-methods.ts';
import { type NodeId, partitionNumber } from '../../proto/model/ids.ts';
import type { BrokerEpoch } from '../../proto/model/offset.ts';
import type { RpcRegistry } from '../../proto/ports/rpc.ts';
import type { Authorizer } from '../access/authorizer.ts';
import { GroupCoordinator } from '../group/group-coordinator.ts';
import { createGroupsTopic } from '../group/internal-topic.ts';
import type { ControllerLinks } from '../membership/controller-links.ts';
import type { Traffic } from '../metrics/traffic.ts';
import type { PartitionTable } from '../partitions/partition-table.ts';
import { ActiveController } from '../services/active-controller.ts';
import { registerAdmin } from '../services/admin-service.ts';
import { ControllerForward } from '../services/controller-forward.ts';
import { registerEvents } from '../services/event-stream.ts';
import { registerFetch } from '../services/fetch-service.ts';
import { registerGroups } from '../services/group-service.ts';
import { LeadershipProof } from '../services/leadership-proof.ts';
import { registerMetadata } from '../services/metadata-service.ts';
import { registerProduce } from '../services/produce-service.ts';
import { ProducerIds } from '../services/producer-ids.ts';
import { hostedPartitions } from './hosted-partitions.ts';
import type { ImageSource } from './image-source.ts';
import type { Machine } from './machine.ts';

export interface ClientServicesOptions {
  readonly nodeId: NodeId;
  readonly machine: Machine;
  readonly authorizer: Authorizer;
  readonly source: ImageSource;
  readonly links: ControllerLinks;
  readonly table: () => PartitionTable | undefined;
  readonly brokerEpoch: () => BrokerEpoch | undefined;
  readonly traffic: Traffic;
  readonly offsetsRetentionMs: number;
}

/** Registers every public service; the coordinator that is returned is closed with the role. */
export function serveClients(
  registry: RpcRegistry,
  options: ClientServicesOptions,
): GroupCoordinator {
  const { nodeId, machine, authorizer, source, links, table, brokerEpoch, traffic } = options;
  const { clock, random, logger } = machine;
  const image = () => source.image;
  const activeController = () => source.activeController;
  const partitions = hostedPartitions(nodeId, image, table);
  const watch = (callback: () => void): (() => void) => source.watch(callback);
  const controller = new ActiveController({ links, activeController, watch, clock });
  const forward = new ControllerForward(controller, random);
  const producerIds = new ProducerIds({ nodeId, links, activeController, brokerEpoch });
  const coordinator = new GroupCoordinator({
    nodeId,
    clock,
    logger,
    image,
    table,
    watchImage: (callback) => source.watch(callback),
    createTopic: () => createGroupsTopic(forward),
    offsetsRetentionMs: options.offsetsRetentionMs,
  });
  registerProduce(registry, { partitions, authorizer, clock, producerIds, traffic });
  const committed = async (deadlineMs: number) =>
    (await controller.call(controlMethods.readCommitted, {}, deadlineMs)).revision;
  const proof = new LeadershipProof({ nodeId, source, clock, committed });
  registerFetch(registry, { partitions, authorizer, clock, traffic, proof });
  registerMetadata(registry, { source, authorizer, clock, controller });
  registerEvents(registry, { authorizer, links, activeController, clock });
  registerAdmin(registry, { source, partitions, authorizer, forward });
  registerGroups(registry, {
    coordinator,
    authorizer,
    clock,
    image,
    find: (topicId, partition) => table()?.find(topicId, partitionNumber(partition)),
  });
  return coordinator;
}
