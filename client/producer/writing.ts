/** The parts of one producer, put together: each knows the others only by what it is given here. */

import type { HighwaterError } from '../../proto/model/errors.ts';
import { findCodec } from '../../proto/wire/compression/codecs.ts';
import { compressionId } from '../../proto/wire/compression-id.ts';
import type { ClientParts } from '../client-parts.ts';
import { BatchMemory } from './batch-memory.ts';
import { LeaderSender } from './leader-sender.ts';
import { Leaders } from './leaders.ts';
import type { PartitionHost } from './partition-producer.ts';
import { ProducerIdentities } from './producer-identity.ts';
import {
  type ProducerOptions,
  type ProducerSettings,
  producerSettings,
  sweepMsOf,
} from './producer-options.ts';
import { RecordBuffer } from './record-buffer.ts';
import { awaitStoredLevel } from './stored-level.ts';
import { TopicPartitions } from './topic-partitions.ts';
import type { UnresolvedBatches } from './unresolved-batches.ts';

/** From records to answers. */
export interface Writing {
  readonly buffer: RecordBuffer;
  readonly topics: TopicPartitions;
  readonly leaders: Leaders;
  readonly identities: ProducerIdentities;
}

/** What the parts tell the producer. */
export interface WritingHooks {
  readonly unresolved: UnresolvedBatches;
  readonly isCodecLoaded: () => boolean;
  readonly topicWanted: (topic: string) => void;
  /** The cluster takes nothing from this producer. */
  readonly refused: (error: HighwaterError) => void;
}

/** Builds the parts of a producer. */
export function createWriting(
  parts: ClientParts,
  options: ProducerOptions,
  hooks: WritingHooks,
): Writing {
  const settings = producerSettings(options);
  const { machine, metadata } = parts;
  const identities = new ProducerIdentities(parts.calls, hooks.refused);
  const leaders = createLeaders(parts, settings, hooks);
  const memory = new BatchMemory(settings.batchBytesTarget);
  const host: PartitionHost = {
    clock: machine.clock,
    random: machine.random,
    session: options.session ?? parts.session,
    isIdempotent: settings.idempotent,
    storedLevel: (place, wanted, limits) => awaitStoredLevel(parts, place, wanted, limits),
    batchLeft: (partition) => topics.batchClosed(partition),
    memoryFree: (freed) => memory.takeBack(freed),
    bytesChanged: (difference) => buffer.bytesChanged(difference),
    batchOver: (batch) => {
      hooks.unresolved.delete(batch);
      buffer.drain();
    },
    identityWanted: (partition) => identities.provide(partition),
  };
  const topics = new TopicPartitions({
    host,
    metadata,
    random: machine.random,
    partitioner: options.partitioner,
    onAdded: (partition) => {
      if (settings.idempotent) identities.provide(partition);
      leaders.add(partition);
    },
  });
  const buffer = new RecordBuffer(
    {
      clock: machine.clock,
      bytesMax: settings.bufferBytesMax,
      batchBytesTarget: settings.batchBytesTarget,
      memory,
      deliveryTimeoutMs: settings.deliveryTimeoutMs,
      topicWanted: hooks.topicWanted,
      begun: (batch) => {
        hooks.unresolved.add(batch);
        leaders.watch();
      },
    },
    topics,
  );
  return { buffer, topics, leaders, identities };
}

function createLeaders(
  { machine, channels, metadata }: ClientParts,
  settings: ProducerSettings,
  hooks: WritingHooks,
): Leaders {
  const { requestTimeoutMs, silenceMs, compression } = settings;
  const leaders: Leaders = new Leaders({
    clock: machine.clock,
    metadata,
    sweepMs: sweepMsOf(settings),
    createSender: (address) =>
      new LeaderSender({
        address,
        clock: machine.clock,
        channels,
        requestTimeoutMs,
        silenceMs,
        codec: () => findCodec(compressionId(compression)),
        isReady: hooks.isCodecLoaded,
        areAllIdle: () => leaders.areIdle,
        idle: () => leaders.becameIdle(),
        suspect: () => metadata.suspect(),
      }),
  });
  return leaders;
}
