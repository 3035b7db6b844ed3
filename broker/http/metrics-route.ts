/** `/metrics`, for Prometheus. */
import type { MetricsRegistry } from '../metrics/registry.ts';
import type { HttpServer } from './http-server.ts';

/** Adds the route. */
export function serveMetrics(server: HttpServer, registry: MetricsRegistry): void {
  server.route('/metrics', (_request, response) => {
    response
      .writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
      .end(registry.text());
  });
}
