/**
 * The client process: ready-made batches over the produce stream of a leader, as many under way as the
 * bound allows; afterwards every replica is read and each checksum compared with that of the batch sent.
 */

import { type FetchResponse, fetchService } from '../../proto/generated/highwater/v1/fetch.ts';
import {
  type ProduceResponse,
  produceService,
} from '../../proto/generated/highwater/v1/produce.ts';
import type { HighwaterError } from '../../proto/model/errors.ts';
import { partitionNumber, type TopicId } from '../../proto/model/ids.ts';
import { offset } from '../../proto/model/offset.ts';
import { nodeClock } from '../../proto/ports/node/node-clock.ts';
import type { RpcChannel, RpcStream } from '../../proto/ports/rpc.ts';
import { GrpcConnector } from '../../proto/rpc/grpc/connector.ts';
import { nextBatch } from '../../proto/wire/batch-scan.ts';
import { serveWorker } from '../harness/worker.ts';
import { BatchPool } from '../log/batches.ts';
import { inFlightBytes } from '../pipeline/requests.ts';

export type ClientRequest =
  | {
      readonly kind: 'send';
      readonly address: string;
      readonly topicId: string;
      readonly batchBytes: number;
      readonly count: number;
    }
  | {
      readonly kind: 'verify';
      readonly address: string;
      readonly topicId: string;
      readonly batchBytes: number;
      readonly count: number;
    }
  | { readonly kind: 'stall'; readonly address: string; readonly topicId: string };

export interface ClientAnswer {
  readonly seconds: number;
  /** Batches acknowledged, or found with the checksum they were sent with. */
  readonly batches: number;
  readonly faults: readonly string[];
}

const connector = new GrpcConnector({ clock: nodeClock });
const channels = new Map<string, RpcChannel>();
const pools = new Map<number, BatchPool>();
const partition = partitionNumber(0);
/** Given again as it is used up. */
const creditBytes = 16 * 1024 * 1024;
const verifyMsMax = 60_000;

function channelTo(address: string): RpcChannel {
  let channel = channels.get(address);
  if (channel === undefined) {
    channel = connector.connect(address, 'bench');
    channels.set(address, channel);
  }
  return channel;
}

function poolOf(batchBytes: number): BatchPool {
  let pool = pools.get(batchBytes);
  if (pool === undefined) {
    pools.clear();
    pool = new BatchPool(batchBytes);
    pools.set(batchBytes, pool);
  }
  return pool;
}

type Send = Extract<ClientRequest, { kind: 'send' }>;

async function send({ address, topicId, batchBytes, count }: Send): Promise<ClientAnswer> {
  const pool = poolOf(batchBytes);
  const room = Math.max(1, Math.floor(inFlightBytes / batchBytes));
  const faults: string[] = [];
  await leads(address, topicId);
  const began = performance.now();
  const acknowledged = await new Promise<number>((resolve) => {
    let sent = 0;
    let decided = 0;
    let isFull = false;
    const push = (): void => {
      while (!isFull && sent < count && sent - decided < room) {
        isFull = !stream.send({
          requestId: sent,
          acks: 'all',
          timeoutMs: 60_000,
          partitions: [
            { topicId: topicId as TopicId, topic: '', partition, batchBytes, records: [] },
          ],
          batches: [pool.at(sent++)],
        });
      }
    };
    const onMessage = (response: ProduceResponse): void => {
      const fault = faultOf(response, decided);
      if (fault !== undefined && faults.length < 5) faults.push(fault);
      decided++;
      if (decided < count) return push();
      stream.end();
      resolve(decided - faults.length);
    };
    const stream = channelTo(address).stream(produceService.produceStream, {
      onMessage,
      onDrain: () => {
        isFull = false;
        push();
      },
      onClose: (error) => {
        if (decided < count) faults.push(`the produce stream ended: ${error?.message ?? ''}`);
        resolve(decided - faults.length);
      },
    });
    push();
  });
  return { seconds: (performance.now() - began) / 1000, batches: acknowledged, faults };
}

/** The broker may not have heard yet that it leads a topic made a moment ago. */
async function leads(address: string, topicId: string): Promise<void> {
  const at = { kind: 'latest', value: true } as const;
  const query = { topicId: topicId as TopicId, topic: '', partition, at };
  for (let attempt = 0; attempt < 500; attempt++) {
    const { partitions } = await channelTo(address).unary(
      fetchService.listOffsets,
      { partitions: [query], level: 'leader' },
      { deadlineMs: 5_000 },
    );
    if (partitions[0]?.failure === undefined) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Answers come in the order of the requests here: one partition, one stream. */
function faultOf({ requestId, partitions }: ProduceResponse, expected: number): string | undefined {
  const outcome = partitions[0]?.outcome;
  if (outcome?.kind !== 'receipt') return `refused: ${JSON.stringify(outcome?.value)}`;
  const { baseOffset } = outcome.value;
  if (requestId === expected && baseOffset === expected) return undefined;
  return `request ${requestId} got offset ${baseOffset} as answer ${expected}`;
}

type Verify = Extract<ClientRequest, { kind: 'verify' }>;

/** Reads one replica from its start until it has given as many batches as were acknowledged. */
async function verify({ address, topicId, batchBytes, count }: Verify): Promise<ClientAnswer> {
  const pool = poolOf(batchBytes);
  const faults: string[] = [];
  const began = performance.now();
  const timeout = AbortSignal.timeout(verifyMsMax);
  let found = 0;
  await new Promise<void>((resolve) => {
    let used = 0;
    const stream = startReading(address, topicId, {
      onMessage: (message) => {
        const { batches, bytes } = matching(message, pool, found);
        if (batches === undefined) faults.push(`${address}: batch ${found} or the next differ`);
        found += batches ?? 0;
        used += bytes;
        if (found >= count || batches === undefined) return stream.end();
        if (used < creditBytes / 2) return;
        stream.send({ ...nothing, creditBytes: used });
        used = 0;
      },
      onClose: () => resolve(),
    });
    timeout.onabort = () => {
      faults.push(`${address}: only ${found} batches of ${count} came`);
      stream.cancel();
    };
    stream.send({ ...nothing, creditBytes });
  });
  timeout.onabort = null;
  return { seconds: (performance.now() - began) / 1000, batches: found, faults };
}

/** How many batches a message holds, if they are those that were sent next. */
function matching(
  message: FetchResponse,
  pool: BatchPool,
  from: number,
): { readonly batches: number | undefined; readonly bytes: number } {
  const bytes = Buffer.concat(message.batches);
  let batches = 0;
  let at = 0;
  while (at < bytes.length) {
    const batch = nextBatch(bytes, at);
    if (batch.kind !== 'batch' || batch.baseOffset !== from + batches)
      return { batches: undefined, bytes: bytes.length };
    if (batch.crc !== pool.crcAt(from + batches))
      return { batches: undefined, bytes: bytes.length };
    batches++;
    at += batch.byteLength;
  }
  const failed = message.partitions.some((part) => part.failure !== undefined);
  return { batches: failed ? undefined : batches, bytes: bytes.length };
}

const nothing = { start: [], stop: [], creditBytes: 0, level: 'any', maxMessageBytes: 0 } as const;

function startReading(
  address: string,
  topicId: string,
  handlers: {
    onMessage(message: FetchResponse): void;
    onClose(error: HighwaterError | undefined): void;
  },
): RpcStream<Parameters<typeof fetchService.fetchStream.request.encode>[0]> {
  const stream = channelTo(address).stream(fetchService.fetchStream, handlers);
  const start = [
    { topicId: topicId as TopicId, topic: '', partition, offset: offset(0), maxBytes: 0 },
  ];
  stream.send({ ...nothing, start });
  return stream;
}

/** A consumer that grants a lot and takes nothing. */
function stall(address: string, topicId: string): ClientAnswer {
  const stream = startReading(address, topicId, { onMessage() {}, onClose() {} });
  stream.pause();
  stream.send({ ...nothing, creditBytes: 2 ** 30 });
  return { seconds: 0, batches: 0, faults: [] };
}

serveWorker((request: ClientRequest) => {
  switch (request.kind) {
    case 'send':
      return send(request);
    case 'verify':
      return verify(request);
    case 'stall':
      return stall(request.address, request.topicId);
  }
});
