/**
 * Writes. A message carries batches of many partitions; each is checked, appended and acknowledged on
 * its own, and the answer leaves when the last of them is decided. Requests of one stream are appended
 * in the order in which they came.
 *
 * Bytes that wait for an acknowledgement are bounded per stream, and so are answers that the producer
 * does not read: beyond either bound the stream is not read, so the producer's own bound takes hold.
 */
import type { Failure } from '../../proto/generated/highwater/v1/common.ts';
import {
  type AwaitStoredRequest,
  type AwaitStoredResponse,
  type PartitionOutcome,
  type PartitionWrite,
  type ProduceRequest,
  type ProduceResponse,
  produceService,
} from '../../proto/generated/highwater/v1/produce.ts';
import { internalPrefix } from '../../proto/metadata/topic-name.ts';
import type { Acks } from '../../proto/model/acks.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import type { NodeId } from '../../proto/model/ids.ts';
import { type Offset, offset } from '../../proto/model/offset.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import type {
  RpcCallContext,
  RpcRegistry,
  RpcStream,
  RpcStreamHandlers,
} from '../../proto/ports/rpc.ts';
import { checkProducedBatch } from '../../proto/wire/produce-check.ts';
import type { Authorizer, Principal } from '../access/authorizer.ts';
import type { Traffic } from '../metrics/traffic.ts';
import type { ProduceResult } from '../replication/core/effects.ts';
import { awaitStored } from './await-stored.ts';
import { failureFrom, failureOf } from './failure.ts';
import type { HostedPartitions } from './hosted.ts';
import { bytesHeld, encodePlainRecords } from './plain-records.ts';
import type { ProducerIds } from './producer-ids.ts';

/** Unacknowledged bytes of one stream before it is no longer read. */
const pendingBytesMax = 16 * 1024 * 1024;
const timeoutMsDefault = 30_000;
const timeoutMsMax = 120_000;

export interface ProduceServiceOptions {
  readonly partitions: HostedPartitions;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly producerIds: Pick<ProducerIds, 'init'>;
  readonly traffic: Traffic;
}

/** Registers every method of the produce service. */
export function registerProduce(registry: RpcRegistry, options: ProduceServiceOptions): void {
  registry.unary(produceService.produce, (request, context) => {
    const principal = options.authorizer.principalOf(context);
    return new Promise((resolve) => produce(options, principal, request, resolve));
  });
  registry.stream(produceService.produceStream, (stream, context) =>
    serveStream(options, stream, context),
  );
  registry.unary(produceService.awaitStored, (request, context) =>
    stored(options, request, context),
  );
  registry.unary(produceService.initProducer, (request, context) => {
    options.authorizer.authorize(options.authorizer.principalOf(context), 'produce', {
      kind: 'cluster',
    });
    return options.producerIds.init(request);
  });
}

async function stored(
  options: ProduceServiceOptions,
  request: AwaitStoredRequest,
  context: RpcCallContext,
): Promise<AwaitStoredResponse> {
  const principal = options.authorizer.principalOf(context);
  const found = options.partitions.find(request);
  if (found.kind === 'failed')
    throw new HighwaterError('UNKNOWN_PARTITION', found.failure.message, {
      facts: Object.fromEntries(found.failure.facts),
    });
  options.authorizer.authorize(principal, 'produce', { kind: 'topic', name: found.topic.name });
  return awaitStored(found.replica, request, options.clock);
}

function serveStream(
  options: ProduceServiceOptions,
  stream: RpcStream<ProduceResponse>,
  context: RpcCallContext,
): RpcStreamHandlers<ProduceRequest> {
  const principal = options.authorizer.principalOf(context);
  let pendingBytes = 0;
  let hasRoom = true;
  let isPaused = false;
  const regulate = (): void => {
    const mustPause = !hasRoom || pendingBytes > (isPaused ? pendingBytesMax / 2 : pendingBytesMax);
    if (mustPause === isPaused) return;
    isPaused = mustPause;
    if (mustPause) stream.pause();
    else stream.resume();
  };
  return {
    onMessage(request) {
      const bytes = bytesHeld(request);
      pendingBytes += bytes;
      regulate();
      produce(options, principal, request, (response) => {
        pendingBytes -= bytes;
        if (request.acks !== 'none' || hasFailure(response)) hasRoom = stream.send(response);
        regulate();
      });
    },
    onDrain() {
      hasRoom = true;
      regulate();
    },
    onClose: () => stream.end(),
  };
}

function hasFailure(response: ProduceResponse): boolean {
  return response.partitions.some((partition) => partition.outcome?.kind === 'failure');
}

/** Appends every partition's batch and calls back once all are decided. */
function produce(
  options: ProduceServiceOptions,
  principal: Principal,
  request: ProduceRequest,
  done: (response: ProduceResponse) => void,
): void {
  const outcomes: PartitionOutcome[] = [];
  const { requestId, partitions } = request;
  let undecided = partitions.length;
  const nowMs = options.clock.now();
  const timeoutMs = Math.min(
    request.timeoutMs === 0 ? timeoutMsDefault : request.timeoutMs,
    timeoutMsMax,
  );
  const acks = request.acks === 'unspecified' ? 'all' : request.acks;
  const payload = request.batches[0];
  const bytes =
    payload === undefined
      ? undefined
      : Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  if (undecided === 0) done({ requestId, partitions: [] });
  let at = 0;
  partitions.forEach((write, index) => {
    const span = { at, end: at + write.batchBytes };
    at = span.end;
    const decide = (
      topicId: PartitionOutcome['topicId'],
      outcome: PartitionOutcome['outcome'],
    ): void => {
      outcomes[index] = { topicId, partition: write.partition, outcome };
      undecided--;
      if (undecided > 0) return;
      options.traffic.answered(options.clock.now() - nowMs);
      done({ requestId, partitions: outcomes });
    };
    try {
      append(
        { options, principal, write, bytes, span, acks, deadlineMs: nowMs + timeoutMs },
        decide,
      );
    } catch (caught) {
      decide(write.topicId, { kind: 'failure', value: failureFrom(caught) });
    }
  });
}

interface OneWrite {
  readonly options: ProduceServiceOptions;
  readonly principal: Principal;
  readonly write: PartitionWrite;
  readonly bytes: Buffer | undefined;
  readonly span: { readonly at: number; readonly end: number };
  readonly acks: Acks;
  readonly deadlineMs: number;
}

function append(
  one: OneWrite,
  decide: (topicId: PartitionOutcome['topicId'], outcome: PartitionOutcome['outcome']) => void,
): void {
  const { options, write, acks, deadlineMs } = one;
  const found = options.partitions.find(write);
  if (found.kind === 'failed')
    return decide(write.topicId, { kind: 'failure', value: found.failure });
  const { topic, replica } = found;
  options.authorizer.authorize(one.principal, 'produce', { kind: 'topic', name: topic.name });
  if (topic.name.startsWith(internalPrefix))
    throw new HighwaterError('INVALID_TOPIC', `${topic.name} is the system's own`, {
      outcome: 'not-written',
    });
  const stale = epochFailure(one, replica.state.metadata?.leaderEpoch);
  if (stale !== undefined) return decide(topic.topicId, { kind: 'failure', value: stale });
  const batch = batchOf(one);
  const header = checkProducedBatch(
    batch,
    { at: 0, end: batch.length },
    { batchBytesMax: topic.batchBytesMax, nowMs: options.clock.wall() },
  );
  if (header.kind === 'fault') {
    return decide(topic.topicId, {
      kind: 'failure',
      value: failureOf(header.code, { message: header.reason, outcome: 'not-written' }),
    });
  }
  options.traffic.produced(batch.length, header.recordCount);
  replica.produce(
    batch,
    header,
    { acks, deadlineMs, expectedOffset: write.expectedOffset },
    (result) => decide(topic.topicId, outcomeOf(result, one)),
  );
}

function epochFailure(one: OneWrite, current: number | undefined): Failure | undefined {
  const known = one.write.leaderEpoch;
  if (known === undefined || current === undefined || known === current) return undefined;
  const facts = { ...one.options.partitions.leaderFacts(one.write), leaderEpoch: current };
  return failureOf(known < current ? 'FENCED_LEADER_EPOCH' : 'UNKNOWN_LEADER_EPOCH', { facts });
}

/** The batch of this partition: a view of the message, or made of its plain records. */
function batchOf(one: OneWrite): Buffer {
  const { write, bytes, span, options } = one;
  if (write.records.length > 0) return encodePlainRecords(write.records, options.clock.wall());
  if (bytes === undefined || span.end > bytes.length || write.batchBytes === 0) {
    throw new HighwaterError(
      'INVALID_REQUEST',
      `partition ${write.partition}: expected records or ${write.batchBytes} bytes of a batch`,
      { outcome: 'not-written' },
    );
  }
  return bytes.subarray(span.at, span.end);
}

function outcomeOf(result: ProduceResult, one: OneWrite): PartitionOutcome['outcome'] {
  if (result.kind === 'failed') {
    const facts = one.options.partitions.leaderFacts(one.write);
    return { kind: 'failure', value: failureOf(result.code, { outcome: result.outcome, facts }) };
  }
  const { baseOffset, endOffset, leaderEpoch, storedBy, isrSize, isDegraded, isDuplicate } =
    result.receipt;
  return {
    kind: 'receipt',
    value: {
      baseOffset,
      lastOffset: lastOf(endOffset),
      leaderEpoch,
      storedBy: [...storedBy] as NodeId[],
      isrSize,
      degraded: isDegraded,
      duplicate: isDuplicate,
    },
  };
}

function lastOf(end: Offset): Offset {
  return offset(Math.max(0, end - 1));
}
