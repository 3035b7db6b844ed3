/**
 * Wires over TCP, or over TLS with certificates on both sides. With credentials every connection must
 * be TLS 1.2 or later and both ends must present a certificate of the cluster's own authority;
 * without them everything is plain.
 */
import net from 'node:net';
import tls from 'node:tls';
import { HighwaterError } from '../../model/errors.ts';
import { limits } from '../../model/limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { PeerAddress } from '../../ports/link.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Wire, WireHandlers, WireListener, WireNetwork } from '../wire.ts';
import { readDirectly, TcpWire } from './tcp-wire.ts';

/** What a node shows and what it trusts, as PEM. */
export interface LinkCredentials {
  readonly key: string | Buffer;
  readonly certificate: string | Buffer;
  /** The authority that signs the nodes of the cluster and nobody else. */
  readonly authority: string | Buffer;
  /** The name that every node's certificate carries; without it the host that was dialled. */
  readonly serverName?: string;
}

export interface TcpNetworkOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly credentials?: LinkCredentials;
}

export interface TcpNetwork extends WireNetwork {
  /** Connections made from here on use these; a plain network stays plain. */
  renew(credentials: LinkCredentials): void;
}

export function createTcpNetwork(given: TcpNetworkOptions): TcpNetwork {
  let options = given;
  const servers = new Set<tls.Server>();
  return {
    listen: (host, port, accept) => {
      const server = createServer(options, accept);
      if (server instanceof tls.Server) {
        servers.add(server);
        server.once('close', () => servers.delete(server));
      }
      return listen(server, options, { host, port });
    },
    dial: (to, handlers) => dial(options, to, handlers),
    renew(credentials) {
      if (options.credentials === undefined) return;
      options = { ...options, credentials };
      for (const server of servers) server.setSecureContext(secureOptions(credentials));
    },
  };
}

type Accept = (wire: Wire) => WireHandlers;

function listen(
  server: net.Server,
  { clock, logger }: TcpNetworkOptions,
  at: { readonly host: string; readonly port: number },
): Promise<WireListener> {
  server.maxConnections = limits.linkConnectionsMax;
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const text = `cannot listen on ${at.host}:${at.port}: ${error.message}`;
      reject(new HighwaterError('INVALID_CONFIG', text, { cause: error }));
    });
    server.listen(at.port, at.host, () => {
      server.removeAllListeners('error');
      server.on('error', (error) => {
        logger.warn('link-accept-failed', 'A connection could not be accepted.', {
          error: error.message,
        });
      });
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : at.port;
      const close = (): Promise<void> => {
        server.close();
        return new Promise((closed) => {
          clock.soon(closed);
        });
      };
      resolve({ port, close });
    });
  });
}

function createServer(options: TcpNetworkOptions, accept: Accept): net.Server {
  const { clock, credentials } = options;
  const take = (socket: net.Socket): TcpWire =>
    new TcpWire(socket, clock, { remote: remoteOf(socket), isOpen: true });
  const onSocket = (socket: net.Socket): void => {
    const wire = take(socket);
    wire.handle(accept(wire));
    wire.readChunks();
  };
  if (credentials === undefined) return net.createServer({ noDelay: true }, onSocket);
  const server = tls.createServer(
    {
      ...secureOptions(credentials),
      noDelay: true,
      requestCert: true,
      handshakeTimeout: limits.linkHelloMsMax,
    },
    onSocket,
  );
  server.on('tlsClientError', (error, socket) => {
    // It never became a wire; the endpoint is to know of it all the same.
    accept(take(socket)).onClose('mismatch', error.message);
    socket.destroy();
  });
  return server;
}

function dial(options: TcpNetworkOptions, to: PeerAddress, handlers: WireHandlers): Wire {
  const { clock, credentials } = options;
  const at = { host: to.host, port: to.port };
  const state = { remote: `${to.host}:${to.port}`, isOpen: false };
  if (credentials === undefined) {
    let wire: TcpWire | undefined;
    const socket = net.connect({ ...at, noDelay: true, onread: readDirectly(() => wire) });
    const plain = new TcpWire(socket, clock, state);
    wire = plain;
    plain.handle(handlers);
    socket.once('connect', () => plain.opened());
    return plain;
  }
  const secured = { ...secureOptions(credentials), ...nameOf(credentials, to.host) };
  const socket = tls.connect({ ...at, ...secured });
  socket.setNoDelay(true);
  const wire = new TcpWire(socket, clock, state);
  wire.handle(handlers);
  wire.readChunks();
  socket.once('secureConnect', () => wire.opened());
  return wire;
}

function secureOptions(credentials: LinkCredentials): tls.SecureContextOptions & {
  readonly rejectUnauthorized: true;
} {
  const { key, certificate, authority } = credentials;
  return { key, cert: certificate, ca: authority, minVersion: 'TLSv1.2', rejectUnauthorized: true };
}

/** Server name indication takes no addresses; the name in the certificate is checked either way. */
function nameOf(credentials: LinkCredentials, host: string): { readonly servername?: string } {
  const name = credentials.serverName ?? host;
  return net.isIP(name) === 0 ? { servername: name } : {};
}

function remoteOf(socket: net.Socket): string {
  return `${socket.remoteAddress ?? 'unknown'}:${socket.remotePort ?? 0}`;
}
