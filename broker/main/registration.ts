/** What a broker says of itself when it registers. */
import type { RegisterBrokerRequest } from '../../proto/generated/highwater/peer/v1/control.ts';
import type { IncarnationId, NodeId, StorageId } from '../../proto/model/ids.ts';
import type { DataDirectory } from '../log/data-directory.ts';
import type { LogDirectory } from '../log/log-directory.ts';
import type { Address } from './addresses.ts';
import type { BrokerMemory } from './broker-state.ts';
import type { Machine } from './machine.ts';

export interface RegistrationFacts {
  readonly machine: Machine;
  readonly nodeId: NodeId;
  readonly incarnationId: IncarnationId;
  readonly storageId: StorageId;
  readonly directory: DataDirectory;
  readonly logs: LogDirectory;
  readonly rack: string;
  readonly peers: Address;
}

/** From what the start has found and what the directory remembers. */
export function registrationOf(
  facts: RegistrationFacts,
  memory: BrokerMemory,
  clients: Address,
): RegisterBrokerRequest {
  const { machine, nodeId, incarnationId, storageId, directory, logs, rack, peers } = facts;
  const { brokerEpoch, stamp, bootId } = memory;
  return {
    nodeId,
    incarnationId,
    storageId,
    lastBrokerEpoch: brokerEpoch,
    storageStamp: stamp,
    cleanStop: directory.cleanStop !== undefined,
    kernelChanged:
      brokerEpoch !== undefined && (machine.bootId === '' || bootId !== machine.bootId),
    rack,
    host: clients.host,
    port: clients.port,
    peerHost: peers.host,
    peerPort: peers.port,
    featureMin: 1,
    featureMax: 1,
    // Also what an earlier start or a scrub found, if nothing has refilled it since.
    damaged: logs.damaged(),
  };
}
