/**
 * The gRPC server of a node. Bounded in every direction: connections in all and by address, streams by
 * connection, bytes by message and in all, time by call, handshake and silence.
 */
import {
  Server,
  ServerCredentials,
  type ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerOptions,
} from '@grpc/grpc-js';
import { HighwaterError } from '../../model/errors.ts';
import type { InvariantViolation } from '../../model/invariant.ts';
import { limits } from '../../model/limits.ts';
import type { Clock } from '../../ports/clock.ts';
import { type Logger, silentLogger } from '../../ports/logger.ts';
import type {
  RpcServer,
  StreamHandler,
  StreamMethod,
  UnaryHandler,
  UnaryMethod,
} from '../../ports/rpc.ts';
import { CallAcceptor } from '../call/call-acceptor.ts';
import { HandlerTable } from '../handler-table.ts';
import type { SchemaFiles } from './descriptor-index.ts';
import { HealthService } from './health.ts';
import { ReceiveBudget } from './receive-budget.ts';
import { addReflection } from './reflection.ts';
import { proveRopeSupport } from './rope-support.ts';
import { ReloadableServerCredentials, type ServerTls } from './server-credentials.ts';
import { hookSessions, type ServerHttp2Stream, setStreamWindow } from './server-internals.ts';
import { GrpcServerTransport } from './server-transport.ts';
import { Sessions } from './sessions.ts';

export interface GrpcServerOptions {
  readonly clock: Clock;
  readonly logger?: Logger;
  /** Absent: plaintext. */
  readonly tls?: ServerTls;
  /** What reflection serves. Absent: no reflection. */
  readonly schema?: SchemaFiles;
  readonly bounds?: GrpcServerBounds;
  readonly onInvariantViolation?: (violation: InvariantViolation) => void;
}

/** Bounds that differ from proto/model/limits.ts; chiefly for tests. */
export interface GrpcServerBounds {
  readonly connectionsMax?: number;
  readonly connectionsPerAddressMax?: number;
  readonly streamsPerConnectionMax?: number;
  readonly receiveBytesMax?: number;
  readonly unaryDeadlineMsMax?: number;
  readonly keepaliveMs?: number;
  readonly keepaliveTimeoutMs?: number;
  readonly windowBytes?: number;
}

export class GrpcServer implements RpcServer {
  readonly #options: GrpcServerOptions;
  readonly #bounds: GrpcServerBounds;
  readonly #logger: Logger;
  readonly #handlers = new HandlerTable();
  readonly #acceptor: CallAcceptor;
  readonly #health: HealthService;
  readonly #sessions: Sessions;
  readonly #budget: ReceiveBudget;
  readonly #credentials: ReloadableServerCredentials | undefined;
  readonly #server: Server;
  /** The HTTP/2 stream whose call grpc-js is setting up in this very turn. */
  #arriving: ServerHttp2Stream | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: GrpcServerOptions) {
    this.#options = options;
    this.#bounds = options.bounds ?? {};
    this.#logger = options.logger ?? silentLogger;
    const { clock, onInvariantViolation } = options;
    this.#acceptor = new CallAcceptor({
      handlers: this.#handlers,
      clock,
      defects: { logger: this.#logger, onInvariantViolation },
      unaryDeadlineMsMax: this.#bounds.unaryDeadlineMsMax ?? limits.rpcUnaryDeadlineMsMax,
    });
    this.#health = new HealthService(this.#handlers);
    this.#sessions = new Sessions(this.#logger, this.#bounds.connectionsPerAddressMax);
    this.#budget = new ReceiveBudget(this.#bounds.receiveBytesMax);
    this.#credentials =
      options.tls === undefined ? undefined : new ReloadableServerCredentials(options.tls);
    this.#server = new Server(this.#serverOptions());
  }

  unary<Request, Response>(
    method: UnaryMethod<Request, Response>,
    handler: UnaryHandler<Request, Response>,
  ): void {
    this.#handlers.unary(method, handler);
  }

  stream<Request, Response>(
    method: StreamMethod<Request, Response>,
    handler: StreamHandler<Request, Response>,
  ): void {
    this.#handlers.stream(method, handler);
  }

  async listen(host: string, port: number): Promise<number> {
    await proveRopeSupport(this.#logger);
    if (this.#options.schema !== undefined) addReflection(this.#handlers, this.#options.schema);
    for (const path of this.#handlers.paths()) {
      this.#server.register(path, neverRun, identity, identity, 'bidi');
    }
    const windowBytes = this.#bounds.windowBytes ?? limits.rpcWindowBytes;
    const missing = setStreamWindow(this.#server, windowBytes) ? [] : ['commonServerOptions'];
    const bound = await this.#bind(host, port);
    missing.push(
      ...hookSessions(this.#server, {
        windowBytes,
        connectionsMax: this.#bounds.connectionsMax ?? limits.rpcConnectionsMax,
        onSession: (session) => this.#sessions.opened(session),
        onStream: (stream) => {
          this.#arriving = stream;
        },
      }),
    );
    if (missing.length > 0) {
      this.#logger.warn('rpc-server-limited', 'This grpc-js lacks places to set bounds.', {
        missing,
      });
    }
    return bound;
  }

  /** New connections use these certificates. Throws INVALID_CONFIG on a plaintext server. */
  reloadTls(tls: ServerTls): void {
    if (this.#credentials === undefined) {
      throw new HighwaterError('INVALID_CONFIG', 'a plaintext server has no certificates');
    }
    this.#credentials.reload(tls);
    this.#logger.info('rpc-tls-reloaded', 'Connections use the renewed certificates from here on.');
  }

  /** Destroys every connection and refuses others, until it is told false. */
  refuse(isRefusing: boolean): void {
    this.#sessions.refuse(isRefusing);
  }

  stop(graceMs: number): Promise<void> {
    this.#stopping ??= this.#stop(graceMs);
    return this.#stopping;
  }

  /** What the server holds, for gauges and for tests of its bounds. */
  usage() {
    return {
      connections: this.#sessions.openCount,
      calls: this.#acceptor.openCount,
      heldBytes: this.#budget.heldBytes,
      windows: this.#sessions.windows(),
    };
  }

  async #stop(graceMs: number): Promise<void> {
    this.#health.stop();
    this.#acceptor.drain();
    const closed = new Promise<void>((resolve) => {
      this.#server.tryShutdown(() => resolve());
    });
    await this.#acceptor.idleWithin(graceMs);
    this.#acceptor.endAll();
    // What is still open gets a moment to deliver its last status, then the connections are cut.
    await this.#within(farewellMs, closed);
    this.#server.forceShutdown();
  }

  /** Resolves with the work, or after `ms` without it. */
  #within(ms: number, work: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(ms, resolve);
      void work.then(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  #bind(host: string, port: number): Promise<number> {
    const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(
        address,
        this.#credentials ?? ServerCredentials.createInsecure(),
        (error, bound) => {
          if (error === null) resolve(bound);
          else
            reject(
              new HighwaterError(
                'INVALID_CONFIG',
                `cannot listen on ${address}: ${bindReason(error)}`,
                { cause: error },
              ),
            );
        },
      );
    });
  }

  #serverOptions(): ServerOptions {
    return {
      interceptors: [(method, call) => this.#intercept(method.path, call)],
      'grpc.max_concurrent_streams':
        this.#bounds.streamsPerConnectionMax ?? limits.rpcStreamsPerConnectionMax,
      'grpc.max_receive_message_length': limits.rpcMessageBytesMax,
      'grpc.max_send_message_length': -1,
      'grpc.enable_channelz': 0,
      'grpc.keepalive_time_ms': this.#bounds.keepaliveMs ?? limits.rpcKeepaliveMs,
      'grpc.keepalive_timeout_ms': this.#bounds.keepaliveTimeoutMs ?? limits.rpcKeepaliveTimeoutMs,
      'grpc.max_connection_idle_ms': limits.rpcConnectionIdleMsMax,
    };
  }

  /** Called in the turn in which the stream arrived, so `#arriving` is the stream of this call. */
  #intercept(path: string, call: ServerInterceptingCallInterface): ServerInterceptingCall {
    const transport = new GrpcServerTransport(call, {
      path,
      accept: (incoming, transport) => this.#acceptor.accept(incoming, transport),
      budget: this.#budget,
      http2Stream: this.#arriving,
    });
    this.#arriving = undefined;
    // grpc-js only ever calls `start` on what an interceptor returns for a bidirectional method.
    return transport as unknown as ServerInterceptingCall;
  }
}

/** How long the last statuses of a server that stops may take. */
const farewellMs = 250;

const identity = (bytes: Buffer): Buffer => bytes;
const neverRun = () => {};

/** The library counts addresses first; a user needs what the machine said. */
function bindReason({ message }: Error): string {
  return /listen E[A-Z]+[^\],]*/.exec(message)?.[0] ?? message;
}
