/**
 * The places where a grpc-js server has no public option for what Highwater needs (grpc-js 1.14).
 *
 * - Window: a server ignores `grpc-node.flow_control_window`; without this its receiving side is held
 *   to 64 KiB per connection. The stream window is a setting that must be given before it listens, the
 *   connection window is set on each session.
 * - Number of connections, and who they are from.
 * - The HTTP/2 stream of a call: to reset it, and to count what it has received.
 *
 * Everything is feature-detected: a grpc-js without these fields works, with the library's defaults,
 * and `missing` says what was not found. Tests assert that nothing is missing.
 */
import type { Server } from '@grpc/grpc-js';

/** What is used of an HTTP/2 session. */
export interface ServerSession {
  readonly socket?:
    | { readonly remoteAddress?: string | undefined; resetAndDestroy?(): unknown }
    | undefined;
  readonly state?: { readonly effectiveLocalWindowSize?: number } | undefined;
  setLocalWindowSize?(bytes: number): void;
  destroy(): void;
  once(event: 'close', listener: () => void): unknown;
}

/** What is used of an HTTP/2 stream of a server. */
export interface ServerHttp2Stream {
  readonly destroyed: boolean;
  readonly closed: boolean;
  /** Its peer reset it, or its connection broke, before this side had ended. */
  readonly aborted: boolean;
  close(code: number): void;
  once(event: 'wantTrailers' | 'close', listener: () => void): unknown;
  on(event: 'data', listener: (chunk: Buffer) => void): unknown;
}

interface Http2Server {
  maxConnections?: number;
  on(event: 'session', listener: (session: ServerSession) => void): unknown;
  prependListener(event: 'stream', listener: (stream: ServerHttp2Stream) => void): unknown;
}

interface Internals {
  commonServerOptions?: { settings?: Record<string, unknown> };
  http2Servers?: Map<Http2Server, unknown>;
}

/** Sets the window of each stream. Before the server listens. False if there is no such place. */
export function setStreamWindow(server: Server, bytes: number): boolean {
  const { commonServerOptions } = server as unknown as Internals;
  if (typeof commonServerOptions !== 'object') return false;
  commonServerOptions.settings = { ...commonServerOptions.settings, initialWindowSize: bytes };
  return true;
}

export interface SessionHooks {
  readonly connectionsMax: number;
  readonly windowBytes: number;
  onSession(session: ServerSession): void;
  /** Called before grpc-js sees the stream, in the same turn. */
  onStream(stream: ServerHttp2Stream): void;
}

/** Installs the hooks on a server that listens. Returns what could not be done. */
export function hookSessions(server: Server, hooks: SessionHooks): string[] {
  const { http2Servers } = server as unknown as Internals;
  if (!(http2Servers instanceof Map) || http2Servers.size === 0) return ['http2Servers'];
  for (const http2Server of http2Servers.keys()) {
    http2Server.maxConnections = hooks.connectionsMax;
    http2Server.prependListener('stream', (stream) => hooks.onStream(stream));
    http2Server.on('session', (session) => {
      session.setLocalWindowSize?.(hooks.windowBytes);
      hooks.onSession(session);
    });
  }
  return [];
}
