/** The public surface of the package: everything that a user of Highwater imports. */

export type { Acks } from '../proto/model/acks.ts';
export { type ErrorCode, type ErrorOutcome, HighwaterError } from '../proto/model/errors.ts';
export type { CompressionName } from '../proto/wire/compression-id.ts';
export type { RecordHeader } from '../proto/wire/record-cursor.ts';
export type { Admin } from './admin/admin.ts';
export type { CallLimits } from './admin/admin-calls.ts';
export type {
  BrokerInfo,
  ClusterInfo,
  ElectOptions,
  LossPreviewInfo,
  PartitionRef,
  VoterInfo,
} from './admin/cluster-admin.ts';
export type { ClusterEvent, EventsOptions } from './admin/cluster-events.ts';
export type {
  GroupAdmin,
  GroupInfo,
  GroupMemberInfo,
  GroupPartitionInfo,
  GroupReset,
  GroupResetStep,
  GroupSummaryInfo,
} from './admin/group-admin.ts';
export type {
  PartitionInfo,
  ReplicaProgressInfo,
  SettingInfo,
  SettingValue,
  TopicInfo,
  TopicSpec,
  TopicSummary,
} from './admin/topic-admin.ts';
export type { Client } from './client.ts';
export { type ConnectOptions, connect } from './connect.ts';
export type { Consumer } from './consumer/consumer.ts';
export type {
  ConsumerEvent,
  ConsumerOptions,
  TopicPartition,
} from './consumer/consumer-options.ts';
export type { DeadLetterOptions } from './consumer/dead-letter.ts';
export type { RecordHandler, RunOptions } from './consumer/run-handlers.ts';
export type { BarrierResult } from './producer/barrier.ts';
export type { BulkSummary, BulkWriter } from './producer/bulk-writer.ts';
export type { Producer } from './producer/producer.ts';
export type { ProducerOptions } from './producer/producer-options.ts';
export type { Receipt } from './producer/receipt.ts';
export type { ProducerRecord, SendBatchOptions, SendOptions } from './producer/record.ts';
export type { SentBatch, WrittenRange } from './producer/send-group.ts';
export type { StoredLevel, StoredLimits, WantedLevel } from './producer/stored-level.ts';
export type { Partitioner } from './producer/topic-partitions.ts';
export type { ReadBatch, ReadRecord } from './reader/read-record.ts';
export type { Reader } from './reader/reader.ts';
export type { ReaderOptions } from './reader/reader-options.ts';
export type { ReadEnd, ReadStart } from './reader/start-offsets.ts';
export { Session } from './session/session.ts';
