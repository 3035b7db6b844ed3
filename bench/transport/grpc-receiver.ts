/** The receiving process: a server of the product and a bare grpc-js server at its default windows. */
import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { nodeClock } from '../../proto/ports/node/node-clock.ts';
import { GrpcServer } from '../../proto/rpc/grpc/server.ts';
import { crc32c } from '../../proto/wire/crc32c.ts';
import { serveWorker } from '../harness/worker.ts';
import { bareMethod, encodeTally, headerBytes, pour, type Tally } from './grpc-wire.ts';

export interface ReceiverPorts {
  readonly ours: number;
  readonly bare: number;
}

/** Counts the messages of one run; the last one says that it is. */
class Counter {
  #messages = 0;
  #payloadBytes = 0;
  #differing = 0;

  /** The tally, at the last message. */
  add(header: Buffer, payload: Buffer): Tally | undefined {
    this.#messages++;
    this.#payloadBytes += payload.length;
    const checksum = header.readUInt32BE(4);
    if (checksum !== 0 && checksum !== crc32c(payload)) this.#differing++;
    if (header.readUInt32BE(0) > 0) return undefined;
    const tally = {
      messages: this.#messages,
      payloadBytes: this.#payloadBytes,
      differing: this.#differing,
    };
    this.#messages = 0;
    this.#payloadBytes = 0;
    this.#differing = 0;
    return tally;
  }
}

function serveOurs(): Promise<number> {
  const server = new GrpcServer({ clock: nodeClock });
  server.stream(pour, (stream) => {
    const counter = new Counter();
    return {
      onMessage: ({ header, payload }) => {
        const tally = counter.add(header, payload);
        if (tally !== undefined) {
          stream.send({ header: encodeTally(tally), payload: Buffer.alloc(0) });
        }
      },
      onClose() {},
    };
  });
  return server.listen('127.0.0.1', 0);
}

function serveBare(): Promise<number> {
  const server = new Server({ 'grpc.max_receive_message_length': -1 });
  server.addService(bareMethod, {
    pour: (stream: ServerDuplexStream<Buffer, Buffer>) => {
      const counter = new Counter();
      stream.on('data', (bytes: Buffer) => {
        const tally = counter.add(bytes.subarray(0, headerBytes), bytes.subarray(headerBytes));
        if (tally !== undefined) stream.write(encodeTally(tally));
      });
      stream.on('end', () => stream.end());
      stream.on('error', () => {});
    },
  });
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
}

serveWorker(async (): Promise<ReceiverPorts> => {
  return { ours: await serveOurs(), bare: await serveBare() };
});
