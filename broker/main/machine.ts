/**
 * The machine that a node runs on: the ports with their Node implementations, and what of them the
 * settings decide. Tests and the simulator hand a node another machine.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RoundRules } from '../../controller/cluster/core/election-round.ts';
import type { Rules as QuorumRules } from '../../controller/raft/core/rules.ts';
import { createTcpNetwork, type LinkCredentials } from '../../proto/link/node/tcp-network.ts';
import type { WireNetwork } from '../../proto/link/wire.ts';
import type { NodeSettings } from '../../proto/model/node-settings.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import type { FileSystem } from '../../proto/ports/file-system.ts';
import type { KeyValueOpener } from '../../proto/ports/key-value.ts';
import type { Logger } from '../../proto/ports/logger.ts';
import { LossyFileSystem } from '../../proto/ports/lossy/lossy-file-system.ts';
import { lossyKeyValueOpener } from '../../proto/ports/lossy/lossy-key-value.ts';
import { lmdbKeyValueOpener } from '../../proto/ports/node/lmdb-key-value.ts';
import { nodeClock } from '../../proto/ports/node/node-clock.ts';
import { nodeFileSystem } from '../../proto/ports/node/node-file-system.ts';
import { nodeRandom } from '../../proto/ports/node/node-random.ts';
import { type LogLevel, pinoLogger } from '../../proto/ports/node/pino-logger.ts';
import type { Random } from '../../proto/ports/random.ts';
import type { RpcServer } from '../../proto/ports/rpc.ts';
import { GrpcServer } from '../../proto/rpc/grpc/server.ts';
import type { ServerTls } from '../../proto/rpc/grpc/server-credentials.ts';
import { createHttpServer, type HttpServer } from '../http/http-server.ts';
import type { LogLimits } from '../log/log-config.ts';
import type { Rules as ReplicaRules } from '../replication/core/rules.ts';
import { type Certificates, type NodeCertificates, openCertificates } from './certificates.ts';

/** The rules of the cores that can be broken, to see whether anybody notices. */
export interface NodeRules {
  readonly replica: ReplicaRules;
  readonly round: RoundRules;
  readonly quorum: QuorumRules;
}

export interface Machine {
  readonly clock: Clock;
  readonly random: Random;
  readonly fileSystem: FileSystem;
  readonly keyValue: KeyValueOpener;
  readonly logger: Logger;
  readonly network: WireNetwork;
  createRpcServer(): RpcServer;
  createHttpServer(): HttpServer;
  /** Identity of the running kernel: another one means that the page cache is gone. */
  readonly bootId: string;
  /** A path as the operator wrote it, made absolute. */
  absolutePath(path: string): string;
  /** Text of a file that the operator named. */
  readText(path: string): string;
  /** Every rule holds, unless a simulation breaks one. */
  readonly rules?: NodeRules;
  /** Bounds of the logs that a simulation makes so small that they are reached. */
  readonly logLimits?: Partial<LogLimits>;
  /** Writes out what was logged. */
  flushLog(): void;
}

/** The machine of a real process: its gRPC server can refuse connections, its certificates change. */
export interface NodeMachine extends Machine {
  createRpcServer(): GrpcServer;
  /** Looks whether the files of the certificates are others; connections from here on use them. */
  renewCertificates(): void;
}

/** Threads for files: enough that a slow disk does not stop everything else (rule B5.9). */
export const threadPoolSize = 16;

/** The machine of a real process. `testDisk` makes a killed process lose what was not flushed. */
export function createNodeMachine(
  settings: NodeSettings,
  testDisk: string | undefined,
  clock: Clock = nodeClock,
): NodeMachine {
  const { logger, flush } = pinoLogger({ level: logLevel(settings), output: 'stderr' });
  const node = logger.with({ node: Number(settings.get('node-id')) });
  const files = nodeFileSystem({ threadPoolSize });
  const stores = lmdbKeyValueOpener({ clock });
  const isLossy = testDisk === 'lossy';
  const certificates = openCertificates(settings, node);
  const asksClients = settings.get('tls-client-auth') !== 'none';
  return {
    clock,
    random: nodeRandom,
    fileSystem: isLossy ? new LossyFileSystem(files) : files,
    keyValue: isLossy ? lossyKeyValueOpener(stores) : stores,
    logger: node,
    network: createNetwork(certificates, node, clock),
    createRpcServer: () => createServer(certificates, asksClients, { logger: node, clock }),
    renewCertificates: () => certificates?.renew(),
    createHttpServer: () => createHttpServer(node),
    bootId: bootId(),
    absolutePath: (path) => resolve(path),
    readText: (path) => readFileSync(path, 'utf8'),
    flushLog: flush,
  };
}

function logLevel(settings: NodeSettings): LogLevel {
  const level = settings.get('log-level');
  return level === 'debug' || level === 'warn' || level === 'error' || level === 'silent'
    ? level
    : 'info';
}

function createServer(
  certificates: NodeCertificates | undefined,
  asksClients: boolean,
  environment: { readonly logger: Logger; readonly clock: Clock },
): GrpcServer {
  const common = { ...environment, schema: publicSchema() };
  if (certificates === undefined) return new GrpcServer(common);
  const tlsOf = ({ certificate, key, authority }: Certificates): ServerTls => ({
    certificate,
    key,
    ...(authority === undefined || !asksClients ? {} : { clientAuthority: authority }),
  });
  const server = new GrpcServer({ ...common, tls: tlsOf(certificates.first) });
  certificates.use((renewed) => server.reloadTls(tlsOf(renewed)));
  return server;
}

/** The .proto files that reflection serves; beside the sources, and beside dist/ in the package. */
function publicSchema(): { readonly directory: string; readonly files: readonly string[] } {
  const here = fileURLToPath(new URL('../../proto/schema', import.meta.url));
  const directory = existsSync(here)
    ? here
    : fileURLToPath(new URL('../../../proto/schema', import.meta.url));
  const files = readdirSync(join(directory, 'highwater/v1')).map((name) => `highwater/v1/${name}`);
  return { directory, files };
}

/** Nodes prove themselves to each other; without an authority they could not, and speak plainly. */
function createNetwork(
  certificates: NodeCertificates | undefined,
  logger: Logger,
  clock: Clock,
): WireNetwork {
  const credentials = linkCredentials(certificates?.first);
  if (credentials === undefined) return createTcpNetwork({ clock, logger });
  const network = createTcpNetwork({ clock, logger, credentials });
  certificates?.use((renewed) => {
    const next = linkCredentials(renewed);
    if (next !== undefined) network.renew(next);
  });
  return network;
}

function linkCredentials(certificates: Certificates | undefined): LinkCredentials | undefined {
  if (certificates?.authority === undefined) return undefined;
  const { certificate, key, authority } = certificates;
  return { certificate, key, authority };
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    // Elsewhere a power loss cannot be told from a crash: every unclean stop counts as one.
    return '';
  }
}
