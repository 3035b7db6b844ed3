/**
 * `grpc.health.v1`: tells load balancers and people whether the server takes calls. The whole server
 * has one state; asking for a service that it does not have is told apart.
 *
 * | message | field |
 * |---|---|
 * | HealthCheckRequest | 1 service (string) |
 * | HealthCheckResponse | 1 status (1 SERVING, 2 NOT_SERVING, 3 SERVICE_UNKNOWN) |
 */
import protobuf from 'protobufjs/minimal.js';
import { HighwaterError } from '../../model/errors.ts';
import type { RpcStream, StreamMethod, UnaryMethod } from '../../ports/rpc.ts';
import type { HandlerTable } from '../handler-table.ts';

const { Reader, Writer } = protobuf;

const serving = 1;
const notServing = 2;
const serviceUnknown = 3;

interface HealthRequest {
  readonly service: string;
}

interface HealthResponse {
  readonly status: number;
}

const requestCodec = {
  encode: (message: HealthRequest) => [
    message.service === ''
      ? Buffer.alloc(0)
      : Writer.create().uint32(10).string(message.service).finish(),
  ],
  decode(bytes: Buffer): HealthRequest {
    const reader = Reader.create(bytes);
    let service = '';
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      if (tag === 10) service = reader.string();
      else reader.skipType(tag & 7);
    }
    return { service };
  },
};

const responseCodec = {
  encode: (message: HealthResponse) => [Writer.create().uint32(8).int32(message.status).finish()],
  decode(bytes: Buffer): HealthResponse {
    const reader = Reader.create(bytes);
    let status = 0;
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      if (tag === 8) status = reader.int32();
      else reader.skipType(tag & 7);
    }
    return { status };
  },
};

export const healthCheck: UnaryMethod<HealthRequest, HealthResponse> = {
  kind: 'unary',
  path: '/grpc.health.v1.Health/Check',
  request: requestCodec,
  response: responseCodec,
};

export const healthWatch: StreamMethod<HealthRequest, HealthResponse> = {
  kind: 'stream',
  path: '/grpc.health.v1.Health/Watch',
  request: requestCodec,
  response: responseCodec,
};

/** The health of one server. */
export class HealthService {
  readonly #handlers: HandlerTable;
  readonly #watchers = new Set<RpcStream<HealthResponse>>();
  #isServing = true;

  constructor(handlers: HandlerTable) {
    this.#handlers = handlers;
    // Both messages are read by the codec, so the handlers only see what is well-formed.
    handlers.unary(healthCheck, (request) => Promise.resolve(this.#check(request.service)));
    handlers.stream(healthWatch, (stream) => ({
      onMessage: (request) => this.#watch(stream, request.service),
      onEnd() {},
      onClose: () => {
        this.#watchers.delete(stream);
      },
    }));
  }

  /** Tells all watchers NOT_SERVING and ends their streams: a watcher must not hold up a stop. */
  stop(): void {
    this.#isServing = false;
    for (const stream of this.#watchers) {
      stream.send({ status: notServing });
      stream.end();
    }
  }

  #check(service: string): HealthResponse {
    if (!this.#knows(service)) {
      throw new HighwaterError('UNKNOWN_SERVICE', `this server has no service ${service}`);
    }
    return { status: this.#isServing ? serving : notServing };
  }

  #watch(stream: RpcStream<HealthResponse>, service: string): void {
    this.#watchers.add(stream);
    const known = this.#isServing ? serving : notServing;
    stream.send({ status: this.#knows(service) ? known : serviceUnknown });
  }

  #knows(service: string): boolean {
    return service === '' || this.#handlers.services().includes(service);
  }
}
