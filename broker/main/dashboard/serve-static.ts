/**
 * Answers for the dashboard's files. The page may load and ask nothing but this origin, and may not be
 * shown inside another page; the browser keeps files and asks whether they are still the same.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { end } from '../../http/http-server.ts';
import { dashboardFiles } from './static-files.ts';

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const commonHeaders = {
  'content-security-policy': policy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-cache',
};

/** Answers with the file of a path. */
export function serveFile(path: string, request: IncomingMessage, response: ServerResponse): void {
  const file = dashboardFiles().get(path);
  if (file === undefined)
    return end(response, 404, 'the dashboard is not built: npm run build makes it\n');
  const { bytes, contentType, etag } = file;
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304, { ...commonHeaders, etag }).end();
    return;
  }
  response.writeHead(200, {
    ...commonHeaders,
    etag,
    'content-type': contentType,
    'content-length': bytes.length,
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

/** Answers with JSON that is not kept. */
export function serveJson(response: ServerResponse, status: number, value: unknown): void {
  response
    .writeHead(status, {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
    .end(JSON.stringify(value));
}
