/**
 * The sending process. Both contenders send the same bytes and obey what their stream says of its
 * buffer; the clock stops when the receiver has counted the last message.
 */
import { Client, type ClientDuplexStream, credentials } from '@grpc/grpc-js';
import { nodeClock } from '../../proto/ports/node/node-clock.ts';
import type { RpcStream } from '../../proto/ports/rpc.ts';
import { GrpcConnector } from '../../proto/rpc/grpc/connector.ts';
import { crc32c } from '../../proto/wire/crc32c.ts';
import { randomPayloads } from '../harness/payload.ts';
import { serveWorker } from '../harness/worker.ts';
import type { ReceiverPorts } from './grpc-receiver.ts';
import {
  type BenchMessage,
  bareMethod,
  decodeTally,
  headerBytes,
  pour,
  type Tally,
  writeHeader,
} from './grpc-wire.ts';

export interface SendRequest {
  readonly via: 'ours' | 'bare';
  readonly ports: ReceiverPorts;
  readonly messageBytes: number;
  readonly count: number;
  /** Each message carries the checksum of its payload and the receiver compares it. */
  readonly isChecked: boolean;
}

export interface SendAnswer extends Tally {
  readonly elapsedMs: number;
}

/** 16 MiB of random bytes, header included, used in turn: neither side sends from a warm cache line. */
const slabs = new Map<number, readonly Buffer[]>();

function messageAt(request: SendRequest, index: number): Buffer {
  const { messageBytes, count, isChecked } = request;
  let slab = slabs.get(messageBytes);
  if (slab === undefined) {
    slab = randomPayloads(Math.ceil((16 * 1024 * 1024) / messageBytes), messageBytes + headerBytes);
    slabs.set(messageBytes, slab);
  }
  const message = slab[index % slab.length];
  if (message === undefined) throw new Error('there is always a message');
  const checksum = isChecked ? crc32c(message.subarray(headerBytes)) : 0;
  writeHeader(message, count - 1 - index, checksum);
  return message;
}

let ours: { readonly stream: RpcStream<BenchMessage>; onTally: (tally: Tally) => void } | undefined;
let onDrain = (): void => {};

function openOurs(port: number) {
  const channel = new GrpcConnector({ clock: nodeClock }).connect(`127.0.0.1:${port}`, 'bench');
  const entry = {
    onTally: (_tally: Tally) => {},
    stream: channel.stream(pour, {
      onMessage: ({ header, payload }) =>
        entry.onTally(decodeTally(Buffer.concat([header, payload]))),
      onDrain: () => onDrain(),
      onClose: (error) => {
        throw new Error(`the stream was closed: ${error?.message}`);
      },
    }),
  };
  return entry;
}

function sendOurs(request: SendRequest): Promise<Tally> {
  ours ??= openOurs(request.ports.ours);
  const { stream } = ours;
  const entry = ours;
  return new Promise((resolve) => {
    entry.onTally = resolve;
    let index = 0;
    onDrain = () => {
      while (index < request.count) {
        const message = messageAt(request, index++);
        const header = Buffer.from(message.subarray(0, headerBytes));
        if (!stream.send({ header, payload: message.subarray(headerBytes) })) return;
      }
    };
    onDrain();
  });
}

let bare: ClientDuplexStream<Buffer, Buffer> | undefined;

function openBare(port: number): ClientDuplexStream<Buffer, Buffer> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {});
  const { path, requestSerialize, responseDeserialize } = bareMethod.pour;
  return client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
}

function sendBare(request: SendRequest): Promise<Tally> {
  bare ??= openBare(request.ports.bare);
  const stream = bare;
  return new Promise((resolve) => {
    stream.once('data', (bytes: Buffer) => resolve(decodeTally(bytes)));
    let index = 0;
    const push = () => {
      while (index < request.count) {
        // A buffer may be in use until it is sent, so a header is written into a message of its own turn.
        if (!stream.write(messageAt(request, index++))) {
          stream.once('drain', push);
          return;
        }
      }
    };
    push();
  });
}

serveWorker(async (request: SendRequest): Promise<SendAnswer> => {
  globalThis.gc?.();
  const started = performance.now();
  const tally = await (request.via === 'ours' ? sendOurs(request) : sendBare(request));
  return { ...tally, elapsedMs: performance.now() - started };
});
