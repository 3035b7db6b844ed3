/** grpc-js as its users tune it: 1 MiB windows in both directions, nothing switched on that costs. */
import { Client, type ClientDuplexStream, credentials, Server } from '@grpc/grpc-js';

const windowBytes = 1024 * 1024;

const bytesOf = (bytes: Buffer): Buffer => bytes;

/** A stream of batches up, a stream of counts down. */
export const bareMethod = {
  produce: {
    path: '/bench.v1.Pipeline/Produce',
    requestStream: true,
    responseStream: true,
    requestSerialize: bytesOf,
    requestDeserialize: bytesOf,
    responseSerialize: bytesOf,
    responseDeserialize: bytesOf,
  },
};

const options = {
  'grpc.max_receive_message_length': -1,
  'grpc-node.flow_control_window': windowBytes,
  'grpc.enable_channelz': 0,
  'grpc.enable_retries': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.use_local_subchannel_pool': 1,
};

export function openStream(port: number): ClientDuplexStream<Buffer, Buffer> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), options);
  const { path, requestSerialize, responseDeserialize } = bareMethod.produce;
  return client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
}

interface WindowInternals {
  commonServerOptions: { settings?: object };
  http2Servers: Map<
    { on(event: 'session', listener: (session: WindowSession) => void): void },
    unknown
  >;
}

interface WindowSession {
  setLocalWindowSize(bytes: number): void;
}

export function createServer(): Server {
  const server = new Server(options);
  const internals = server as unknown as WindowInternals;
  const { settings } = internals.commonServerOptions;
  internals.commonServerOptions.settings = { ...settings, initialWindowSize: windowBytes };
  return server;
}

/** The server ignores the option for the window of its connections; call once it listens. */
export function widenConnections(server: Server): void {
  const internals = server as unknown as WindowInternals;
  if (internals.http2Servers.size === 0) throw new Error('the shim finds no server to widen');
  for (const http2Server of internals.http2Servers.keys())
    http2Server.on('session', (session) => session.setLocalWindowSize(windowBytes));
}
