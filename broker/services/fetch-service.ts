/** Reads: one answer after a bounded wait, a stream, and questions about offsets. */
import {
  type FetchRequest,
  type FetchResponse,
  fetchService,
  type ListOffsetsRequest,
  type OffsetAnswer,
  type OffsetQuery,
  type PartitionBatches,
} from '../../proto/generated/highwater/v1/fetch.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import { limits } from '../../proto/model/limits.ts';
import { leaderEpoch, type Offset } from '../../proto/model/offset.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import type { RpcRegistry } from '../../proto/ports/rpc.ts';
import type { Authorizer, Principal } from '../access/authorizer.ts';
import { epochAt } from '../log/core/epoch-history.ts';
import type { Traffic } from '../metrics/traffic.ts';
import { latestOffset } from '../replication/core/reading.ts';
import type { PartitionDriver } from '../replication/partition-driver.ts';
import { failureFrom } from './failure.ts';
import { FetchStream } from './fetch-stream.ts';
import type { HostedPartitions } from './hosted.ts';
import type { LeadershipProof } from './leadership-proof.ts';
import { openReader, PartitionReader } from './partition-reader.ts';

const waitMsMax = 60_000;
const bytesMaxDefault = 1024 * 1024;

export interface FetchServiceOptions {
  readonly partitions: HostedPartitions;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly traffic: Traffic;
  readonly proof: LeadershipProof;
}

/** Registers `Fetch`, `FetchStream` and `ListOffsets`. */
export function registerFetch(registry: RpcRegistry, options: FetchServiceOptions): void {
  const { authorizer } = options;
  registry.unary(fetchService.fetch, (request, context) =>
    fetchOnce(options, authorizer.principalOf(context), request),
  );
  registry.stream(fetchService.fetchStream, (stream, context) => {
    const principal = authorizer.principalOf(context);
    return new FetchStream(stream, { ...options, principal }).handlers;
  });
  registry.unary(fetchService.listOffsets, async (request, context) => {
    const principal = authorizer.principalOf(context);
    return {
      partitions: await Promise.all(
        request.partitions.map((query) => answerQuery(options, principal, request, query)),
      ),
    };
  });
}

/** Reads what is there; waits for more until the minimum or the time is reached. */
async function fetchOnce(
  options: FetchServiceOptions,
  principal: Principal,
  request: FetchRequest,
): Promise<FetchResponse> {
  const level = request.level === 'unspecified' ? 'session' : request.level;
  const failures: PartitionBatches[] = [];
  const readers: PartitionReader[] = [];
  for (const read of request.partitions) {
    const reader = openReader(options.partitions, read, { level, proof: options.proof });
    if (!(reader instanceof PartitionReader)) {
      failures.push(reader);
      continue;
    }
    options.authorizer.authorize(principal, 'consume', { kind: 'topic', name: reader.topic.name });
    readers.push(reader);
  }
  const deadlineMs = options.clock.now() + Math.min(request.maxWaitMs, waitMsMax);
  const gathered = new Gathered(
    Math.min(
      request.maxBytes === 0 ? bytesMaxDefault : request.maxBytes,
      limits.clientMessageBytesMax,
    ),
  );
  for (;;) {
    const pending: Promise<void>[] = [];
    for (const reader of readers) gathered.take(reader, pending);
    const isEnough =
      gathered.bytes >= Math.max(1, request.minBytes) || gathered.hasFailure || failures.length > 0;
    if (isEnough || readers.every((reader) => reader.isDone)) break;
    if (pending.length > 0) {
      await Promise.all(pending);
      continue;
    }
    if (options.clock.now() >= deadlineMs) break;
    await movedOrLate(
      options.clock,
      readers.map((reader) => reader.replica),
      deadlineMs,
    );
  }
  options.traffic.fetched(gathered.bytes);
  return gathered.response(readers, failures);
}

/** What one unary fetch has collected. */
class Gathered {
  bytes = 0;
  hasFailure = false;
  readonly #bytesMax: number;
  readonly #parts = new Map<PartitionReader, { part: PartitionBatches; buffers: Buffer[] }>();
  readonly #behind = new Set<PartitionReader>();

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Takes what the reader has; a read from disk is added to `pending`. */
  take(reader: PartitionReader, pending: Promise<void>[]): void {
    while (this.bytes < this.#bytesMax && !reader.isDone) {
      const step = reader.step(this.#bytesMax - this.bytes);
      if (step.kind === 'wait') {
        if (step.isBehind) this.#behind.add(reader);
        else this.#behind.delete(reader);
        return;
      }
      if (step.kind === 'reading') {
        pending.push(step.done);
        return;
      }
      const before = this.#parts.get(reader);
      const buffers = before?.buffers ?? [];
      if (step.kind === 'failed') {
        this.hasFailure = true;
        this.#parts.set(reader, {
          part: { ...step.part, batchBytes: before?.part.batchBytes ?? 0 },
          buffers,
        });
        return;
      }
      buffers.push(...step.read.buffers);
      this.bytes += step.part.batchBytes;
      this.#parts.set(reader, {
        part: { ...step.part, batchBytes: step.part.batchBytes + (before?.part.batchBytes ?? 0) },
        buffers,
      });
    }
  }

  response(
    readers: readonly PartitionReader[],
    failures: readonly PartitionBatches[],
  ): FetchResponse {
    const partitions = [...failures];
    const batches: Buffer[] = [];
    for (const reader of readers) {
      const taken = this.#parts.get(reader);
      if (taken !== undefined) {
        partitions.push(taken.part);
        batches.push(...taken.buffers);
      } else if (this.#behind.has(reader)) {
        const late = reader.failed('NOT_CAUGHT_UP');
        if (late.kind === 'failed') partitions.push(late.part);
      } else {
        partitions.push(reader.emptyPart(true));
      }
    }
    return { partitions, batches };
  }
}

/** Resolves when one of the replicas has moved, or at the deadline. */
function movedOrLate(
  clock: Clock,
  replicas: readonly PartitionDriver[],
  deadlineMs: number,
): Promise<void> {
  return new Promise((resolve) => {
    const stops: (() => void)[] = [];
    const finish = (): void => {
      for (const stop of stops) stop();
      timer.cancel();
      resolve();
    };
    const timer = clock.after(Math.max(0, deadlineMs - clock.now()), finish);
    for (const replica of replicas) stops.push(replica.onceMoved(finish));
  });
}

async function answerQuery(
  options: FetchServiceOptions,
  principal: Principal,
  request: ListOffsetsRequest,
  query: OffsetQuery,
): Promise<OffsetAnswer> {
  const { topicId, partition } = query;
  try {
    const found = options.partitions.find(query);
    if (found.kind === 'failed') return { topicId, partition, failure: found.failure };
    const { topic, replica } = found;
    options.authorizer.authorize(principal, 'read', { kind: 'topic', name: topic.name });
    const needsLeader = request.level === 'leader' || request.level === 'linearizable';
    if (needsLeader && replica.state.role.kind !== 'leader') {
      throw new HighwaterError('NOT_LEADER', 'the question was for the leader', {
        facts: options.partitions.leaderFacts(query),
      });
    }
    if (request.level === 'linearizable') await options.proof.give(replica);
    return { topicId: topic.topicId, partition, ...(await positionOf(replica, query)) };
  } catch (caught) {
    return { topicId, partition, failure: failureFrom(caught) };
  }
}

async function positionOf(
  replica: PartitionDriver,
  query: OffsetQuery,
): Promise<Pick<OffsetAnswer, 'position' | 'timestamp'>> {
  const { log, state } = replica;
  if (query.at?.kind === 'timestamp') {
    const found = await log.firstAt(query.at.value, replica.watermark);
    if (found === undefined) return {};
    return { position: place(replica, found.offset), timestamp: found.timestamp };
  }
  if (query.at?.kind === 'earliest') return { position: place(replica, log.startOffset) };
  const latest = latestOffset(state);
  if (latest === undefined)
    throw new HighwaterError(
      'OFFSET_NOT_AVAILABLE',
      'a new leader does not know its watermark yet',
    );
  return { position: place(replica, latest) };
}

function place(
  replica: PartitionDriver,
  at: Offset,
): { offset: Offset; leaderEpoch: ReturnType<typeof leaderEpoch> } {
  const before = at > replica.log.startOffset ? ((at - 1) as Offset) : at;
  return { offset: at, leaderEpoch: epochAt(replica.state.log.history, before) ?? leaderEpoch(0) };
}
