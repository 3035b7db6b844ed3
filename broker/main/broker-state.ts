/**
 * What a broker's directory remembers of its registration: the epoch it was granted, the storage stamp,
 * and in which boot of the machine it was written. Kept as one value, durable before it is told.
 */
import { type BrokerEpoch, brokerEpoch } from '../../proto/model/offset.ts';
import type { LogDirectory } from '../log/log-directory.ts';

export interface BrokerMemory {
  readonly brokerEpoch: BrokerEpoch | undefined;
  readonly stamp: number;
  readonly bootId: string;
}

/** What is remembered; an empty directory remembers nothing. */
export function readBrokerMemory(logs: LogDirectory): BrokerMemory {
  const bytes = logs.storageStamp;
  if (bytes === undefined) return { brokerEpoch: undefined, stamp: 0, bootId: '' };
  const { epoch, stamp, bootId } = JSON.parse(bytes.toString()) as {
    epoch: number | null;
    stamp: number;
    bootId: string;
  };
  return { brokerEpoch: epoch === null ? undefined : brokerEpoch(epoch), stamp, bootId };
}

/** Durable when it resolves. */
export function writeBrokerMemory(logs: LogDirectory, memory: BrokerMemory): Promise<void> {
  const { brokerEpoch: epoch, stamp, bootId } = memory;
  return logs.renewStorageStamp(
    Buffer.from(JSON.stringify({ epoch: epoch ?? null, stamp, bootId })),
  );
}
