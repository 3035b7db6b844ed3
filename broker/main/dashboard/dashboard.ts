/**
 * The dashboard of a node: the page, the live stream and the questions that the page asks. It reads and
 * never changes anything. What it costs is paid while somebody looks.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { HighwaterError } from '../../../proto/model/errors.ts';
import type { NodeSettings } from '../../../proto/model/node-settings.ts';
import type { Clock } from '../../../proto/ports/clock.ts';
import type { Random } from '../../../proto/ports/random.ts';
import type { Authorizer } from '../../access/authorizer.ts';
import type { LiveFeed } from '../../dashboard/live-feed.ts';
import { end, type HttpServer } from '../../http/http-server.ts';
import {
  checkReader,
  type DashboardAccess,
  dashboardAccess,
  httpStatusOf,
  isOwnHost,
  tokenOf,
} from './dashboard-access.ts';
import { readGroups } from './group-pages.ts';
import { OwnClients } from './own-clients.ts';
import { readRecords, recordsQuestion } from './record-pages.ts';
import { serveFile, serveJson } from './serve-static.ts';

export interface DashboardOptions {
  readonly settings: NodeSettings;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly random: Random;
  readonly feed: LiveFeed;
  /** Where clients find brokers, the nearest first. */
  readonly brokers: () => readonly string[];
}

/** What else is at the paths of the dashboard is a file of it. */
const page = '/dashboard/index.html';

export class Dashboard {
  readonly #options: DashboardOptions;
  readonly #access: DashboardAccess;
  readonly #clients: OwnClients;

  constructor(options: DashboardOptions) {
    this.#options = options;
    this.#access = dashboardAccess(options.settings);
    this.#clients = new OwnClients(options);
  }

  /** Adds the routes. */
  serve(http: HttpServer): void {
    const { feed } = this.#options;
    http.route('/', (request, response) => this.#file(page, request, response));
    for (const prefix of ['/dashboard/', '/proto/dashboard/'])
      http.route(prefix, (request, response) => this.#file(pathOf(request), request, response));
    this.#question(http, '/api/live', (request, response) => {
      if (!feed.hasRoom)
        throw new HighwaterError('OVERLOADED', 'too many browsers look at this dashboard');
      response.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      });
      const leave = feed.join(response);
      request.once('close', leave);
    });
    this.#question(http, '/api/records', async (request, response) => {
      const client = await this.#clients.of(tokenOf(request.headers));
      const question = recordsQuestion(new URL(request.url ?? '/', 'http://own').searchParams);
      serveJson(response, 200, await readRecords(client, question));
    });
    this.#question(http, '/api/groups', async (request, response) => {
      const client = await this.#clients.of(tokenOf(request.headers));
      serveJson(response, 200, await readGroups(client));
    });
    // A node by itself offers nothing: who runs the cluster answers this in front of it.
    this.#question(http, '/api/controls', (_request, response) =>
      serveJson(response, 200, { nodes: [] }),
    );
  }

  async close(): Promise<void> {
    this.#options.feed.close();
    await this.#clients.close();
  }

  #file(path: string, request: IncomingMessage, response: ServerResponse): void {
    if (this.#access.kind === 'off')
      return end(response, 404, `the dashboard is off here: ${this.#access.reason}\n`);
    serveFile(path, request, response);
  }

  #question(
    http: HttpServer,
    path: string,
    answer: (request: IncomingMessage, response: ServerResponse) => void | Promise<void>,
  ): void {
    http.route(path, async (request, response) => {
      try {
        this.#check(request);
        await answer(request, response);
      } catch (caught) {
        const error = HighwaterError.from(caught);
        if (response.headersSent) response.destroy();
        else serveJson(response, httpStatusOf(error), { code: error.code, message: error.message });
      }
    });
  }

  #check({ headers }: IncomingMessage): void {
    const access = this.#access;
    if (access.kind === 'off')
      throw new HighwaterError('PERMISSION_DENIED', `the dashboard is off here: ${access.reason}`);
    if (!access.asksForToken && access.isLoopback && !isOwnHost(headers.host))
      throw new HighwaterError('PERMISSION_DENIED', 'the Host header names another machine');
    checkReader(this.#options.authorizer, headers);
  }
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?', 1)[0] ?? '/';
}
