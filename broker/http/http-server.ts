/**
 * The HTTP side of a node: routes to handlers, nothing more. Read-only, bounded, and never the reason
 * for a crash: a handler that throws is answered with 500 and logged.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Logger } from '../../proto/ports/logger.ts';

export type HttpHandler = (
  request: IncomingMessage,
  response: ServerResponse,
) => void | Promise<void>;

export interface HttpServer {
  /** One path; with a slash at its end, also what is below it and has no route of its own. */
  route(path: string, handler: HttpHandler): void;
  /** Resolves to the bound port. */
  listen(host: string, port: number): Promise<number>;
  /** Ends open connections too. Always returns. */
  close(): Promise<void>;
}

/** A server without routes. */
export function createHttpServer(logger: Logger): HttpServer {
  const routes = new Map<string, HttpHandler>();
  const server = createServer(
    { headersTimeout: 5_000, requestTimeout: 10_000, maxHeaderSize: 16_384 },
    (request, response) => {
      answer(routes, logger, request, response).catch((error: unknown) => {
        logger.error('http-failed', 'A request of the HTTP side failed.', { error });
        response.destroy();
      });
    },
  );
  server.maxConnections = 512;
  return {
    route: (path, handler) => void routes.set(path, handler),
    listen: (host, port) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, () => {
          server.off('error', reject);
          const address = server.address();
          resolve(typeof address === 'object' && address !== null ? address.port : port);
        });
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  routes: ReadonlyMap<string, HttpHandler>,
  logger: Logger,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  const handler = handlerOf(routes, path);
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return end(response, 405, 'only GET is answered here\n');
  if (handler === undefined) return end(response, 404, 'nothing here\n');
  try {
    await handler(request, response);
  } catch (error) {
    logger.error('http-failed', 'A request of the HTTP side failed.', { path, error });
    if (!response.headersSent) end(response, 500, 'failed; the log says more\n');
  }
}

function handlerOf(
  routes: ReadonlyMap<string, HttpHandler>,
  path: string,
): HttpHandler | undefined {
  const exact = routes.get(path);
  if (exact !== undefined) return exact;
  for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
    const below = routes.get(path.slice(0, slash + 1));
    if (below !== undefined) return below;
  }
  return undefined;
}

/** Answers with a short text. */
export function end(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(text);
}
