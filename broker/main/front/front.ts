/**
 * The dashboard of a cluster that somebody runs on this machine: one address that stays while nodes come
 * and go. It passes the page's questions on to a node that is alive, or to the one whose view is wanted,
 * and carries out what its buttons say. Loopback only.
 *
 * A button is pressed by this page and no other: an action is a POST with a header that a foreign page
 * cannot send without being asked for leave, which is never given, and from this very origin.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { ControlsAnswer, NodeAction } from '../../../proto/dashboard/messages.ts';
import { HighwaterError } from '../../../proto/model/errors.ts';
import { httpStatusOf, isOwnHost } from '../dashboard/dashboard-access.ts';
import { serveFile, serveJson } from '../dashboard/serve-static.ts';
import type { ClusterControl } from './cluster-control.ts';
import { NodeRelay } from './node-relay.ts';

export interface Front {
  /** `http://127.0.0.1:port` */
  readonly address: string;
  close(): Promise<void>;
}

const actions: readonly NodeAction[] = [
  'kill',
  'pause',
  'resume',
  'isolate',
  'slow',
  'heal',
  'restart',
];
const relayed: readonly string[] = ['/api/live', '/api/records', '/api/groups'];

/** Listens on loopback; port 0 for a free one. */
export async function startFront(control: ClusterControl, port: number): Promise<Front> {
  const relay = new NodeRelay(control);
  const server = createServer({ requestTimeout: 10_000 }, (request, response) => {
    answer(control, relay, request, response).catch((caught: unknown) => {
      const error = HighwaterError.from(caught);
      if (response.headersSent) response.destroy();
      else serveJson(response, httpStatusOf(error), { code: error.code, message: error.message });
    });
  });
  const bound = await new Promise<number>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
  return {
    address: `http://127.0.0.1:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  control: ClusterControl,
  relay: NodeRelay,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { headers, method } = request;
  if (!isOwnHost(headers.host))
    throw new HighwaterError('PERMISSION_DENIED', 'the Host header names another machine');
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://own');
  if (method === 'POST') {
    checkOrigin(request);
    const { id, action } = actionOf(pathname);
    if (action === 'kill' || action === 'pause') relay.leave(id);
    await control.act(id, action);
    return serveJson(response, 200, {});
  }
  if (pathname === '/api/controls')
    return serveJson(response, 200, { nodes: control.nodes() } satisfies ControlsAnswer);
  if (relayed.includes(pathname)) {
    const via = searchParams.get('via');
    return relay.pass(via === null ? undefined : Number(via), request, response);
  }
  serveFile(pathname === '/' ? '/dashboard/index.html' : pathname, request, response);
}

function checkOrigin({ headers }: IncomingMessage): void {
  const isOwn =
    headers['x-highwater-control'] === '1' &&
    (headers.origin === undefined || headers.origin === `http://${headers.host ?? ''}`);
  if (!isOwn)
    throw new HighwaterError('PERMISSION_DENIED', 'actions are taken from the dashboard itself');
}

function actionOf(path: string): { readonly id: number; readonly action: NodeAction } {
  const found = /^\/api\/controls\/(\d{1,3})\/([a-z]+)$/.exec(path);
  const action = actions.find((one) => one === found?.[2]);
  if (found === null || action === undefined)
    throw new HighwaterError('INVALID_REQUEST', `no such action: ${path}`);
  return { id: Number(found[1]), action };
}
