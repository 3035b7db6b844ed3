/** Opens a client over real connections. */
import { nodeClock } from '../proto/ports/node/node-clock.ts';
import { nodeRandom } from '../proto/ports/node/node-random.ts';
import { type ClientTls, GrpcConnector } from '../proto/rpc/grpc/connector.ts';
import { type Client, type ClientOptions, openClient } from './client.ts';
import { checkedOptions, checkNames } from './connection/checked-input.ts';

export interface ConnectOptions extends ClientOptions {
  /** Authority, own certificate and key; absent for plaintext. */
  readonly tls?: ClientTls;
}

const names: Readonly<Record<keyof ConnectOptions, true>> = {
  brokers: true,
  token: true,
  clientId: true,
  connectTimeoutMs: true,
  signal: true,
  tls: true,
};

/** Connects to a cluster. Rejects with CONNECTION_LOST if no broker answers in time. */
export async function connect(options: ConnectOptions): Promise<Client> {
  const { tls } = checkedOptions(options, 'connect');
  checkNames(options, names, 'connect');
  const connector = new GrpcConnector({
    clock: nodeClock,
    ...(tls === undefined ? {} : { tls: () => tls }),
  });
  return openClient({ clock: nodeClock, random: nodeRandom, connector }, options);
}
