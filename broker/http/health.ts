/** `/healthz`: the process is alive. `/readyz`: it is caught up and serves; the reasons if not. */
import { end, type HttpServer } from './http-server.ts';

/** Sentences that say why the node is not ready; empty when it is. */
export type Readiness = () => readonly string[];

/** Adds both routes. */
export function serveHealth(server: HttpServer, readiness: Readiness): void {
  server.route('/healthz', (_request, response) => end(response, 200, 'ok\n'));
  server.route('/readyz', (_request, response) => {
    const reasons = readiness();
    if (reasons.length === 0) end(response, 200, 'ready\n');
    else end(response, 503, `${reasons.join('\n')}\n`);
  });
}
