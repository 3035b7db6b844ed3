import { Channel, ChannelCredentials, type ChannelOptions } from '@grpc/grpc-js';
import type { InvariantViolation } from '../../model/invariant.ts';
import { limits } from '../../model/limits.ts';
import type { Clock } from '../../ports/clock.ts';
import { type Logger, silentLogger } from '../../ports/logger.ts';
import type { RpcChannel, RpcConnector } from '../../ports/rpc.ts';
import { CallChannel } from '../call/call-channel.ts';
import { GrpcClientTransport } from './client-transport.ts';
import { proveRopeSupport } from './rope-support.ts';

/** What a client shows and trusts. PEM text or bytes. */
export interface ClientTls {
  /** Authorities that may have signed the server's certificate; the system's if absent. */
  readonly authority?: Buffer;
  /** Own certificate chain and key, for servers that ask for one. */
  readonly certificate?: Buffer;
  readonly key?: Buffer;
  /** Name to expect in the server's certificate instead of the host of the address. */
  readonly serverName?: string;
}

export interface GrpcConnectorOptions {
  readonly clock: Clock;
  readonly logger?: Logger;
  /** Called for each new channel, so that renewed certificates take effect. Absent: plaintext. */
  readonly tls?: () => ClientTls;
  /** HTTP/2 window of the answers; more than the default only where bulk flows one way. */
  readonly windowBytes?: number;
  readonly onInvariantViolation?: (violation: InvariantViolation) => void;
}

/** Opens channels over grpc-js. Every channel has a connection of its own. */
export class GrpcConnector implements RpcConnector {
  readonly #options: GrpcConnectorOptions;
  readonly #logger: Logger;

  constructor(options: GrpcConnectorOptions) {
    this.#options = options;
    this.#logger = options.logger ?? silentLogger;
    void proveRopeSupport(this.#logger);
  }

  connect(address: string, purpose: string): RpcChannel {
    const { clock, tls, onInvariantViolation } = this.#options;
    const settings = tls?.();
    const channel = new Channel(
      address,
      settings === undefined ? ChannelCredentials.createInsecure() : credentialsOf(settings),
      this.#channelOptions(settings),
    );
    return new CallChannel({
      address,
      clock,
      defects: { logger: this.#logger.with({ address, purpose }), onInvariantViolation },
      open: (call, listener) => new GrpcClientTransport(channel, call, listener),
      closeConnection: () => {
        channel.close();
        return Promise.resolve();
      },
    });
  }

  #channelOptions(tls: ClientTls | undefined): ChannelOptions {
    return {
      'grpc-node.flow_control_window': this.#options.windowBytes ?? limits.rpcWindowBytes,
      'grpc.max_receive_message_length': limits.rpcMessageBytesMax,
      'grpc.max_send_message_length': limits.rpcMessageBytesMax + batchSlackBytes,
      // Without it two channels with equal options share one connection.
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_channelz': 0,
      'grpc.enable_retries': 0,
      // -1: nothing fits, not even an empty message, so that a message is reported as sent when it is.
      'grpc.per_rpc_retry_buffer_size': -1,
      'grpc.enable_http_proxy': 0,
      'grpc.service_config_disable_resolution': 1,
      'grpc.keepalive_time_ms': limits.rpcKeepaliveMs,
      'grpc.keepalive_timeout_ms': limits.rpcKeepaliveTimeoutMs,
      'grpc.keepalive_permit_without_calls': 1,
      'grpc.initial_reconnect_backoff_ms': reconnectMsMin,
      'grpc.max_reconnect_backoff_ms': reconnectMsMax,
      ...(tls?.serverName === undefined ? {} : { 'grpc.ssl_target_name_override': tls.serverName }),
    };
  }
}

/** A batch of messages is one message to the library: its inner headers count as well. */
const batchSlackBytes = 64 * 1024;
const reconnectMsMin = 50;
const reconnectMsMax = 1000;

function credentialsOf(tls: ClientTls): ChannelCredentials {
  return ChannelCredentials.createSsl(
    tls.authority ?? null,
    tls.key ?? null,
    tls.certificate ?? null,
  );
}
