/** The HTTP side of a node: health, metrics and the dashboard, joined to the roles behind them. */

import { controlMethods } from '../../proto/link/control-methods.ts';
import type { MetadataImage } from '../../proto/metadata/image.ts';
import { emptyImage } from '../../proto/metadata/image.ts';
import type { NodeId } from '../../proto/model/ids.ts';
import type { NodeSettings } from '../../proto/model/node-settings.ts';
import type { LinkEndpoint, PeerAddress } from '../../proto/ports/link.ts';
import type { Authorizer } from '../access/authorizer.ts';
import { EventFollower } from '../dashboard/event-follower.ts';
import { LiveFeed } from '../dashboard/live-feed.ts';
import { ownTelemetry } from '../dashboard/own-telemetry.ts';
import { PeerTelemetry } from '../dashboard/peer-telemetry.ts';
import { serveHealth } from '../http/health.ts';
import type { HttpServer } from '../http/http-server.ts';
import { serveMetrics } from '../http/metrics-route.ts';
import { ControllerLinks } from '../membership/controller-links.ts';
import { Traffic } from '../metrics/traffic.ts';
import { hostAndPort } from './addresses.ts';
import type { BrokerRole } from './broker-role.ts';
import type { ControllerRole } from './controller-role.ts';
import { Dashboard } from './dashboard/dashboard.ts';
import { dashboardAccess } from './dashboard/dashboard-access.ts';
import type { Machine } from './machine.ts';
import { loopDelayMs, metricsSource, nodeMetrics } from './node-metrics.ts';

export interface NodeHttpOptions {
  readonly nodeId: NodeId;
  readonly settings: NodeSettings;
  readonly machine: Machine;
  readonly endpoint: LinkEndpoint;
  readonly quorum: readonly PeerAddress[];
  readonly authorizer: Authorizer;
  readonly broker: BrokerRole | undefined;
  readonly controller: ControllerRole | undefined;
}

/** A running HTTP side. */
export interface NodeHttp {
  /** `host:port` as bound. */
  readonly address: string;
  close(): Promise<void>;
}

/** Listens; resolves once it does. */
export async function openNodeHttp(options: NodeHttpOptions): Promise<NodeHttp> {
  const { nodeId, settings, machine, broker, controller } = options;
  const at = hostAndPort(settings.get('http-listen') ?? '');
  const http = machine.createHttpServer();
  serveHealth(http, () => broker?.readiness() ?? []);
  serveMetrics(http, nodeMetrics(metricsSource(nodeId, broker, controller)));
  let address = '';
  const isOn = dashboardAccess(settings).kind === 'on';
  const { dashboard, links } = createDashboard(options, () => (isOn ? address : ''));
  dashboard.serve(http);
  const port = await listen(http, at);
  address = `${at.host}:${port}`;
  return {
    address,
    close: async () => {
      links.close();
      await dashboard.close();
      await http.close();
    },
  };
}

function listen(http: HttpServer, at: { readonly host: string; port: number }): Promise<number> {
  return http.listen(at.host, at.port);
}

function createDashboard(
  options: NodeHttpOptions,
  address: () => string,
): { readonly dashboard: Dashboard; readonly links: ControllerLinks } {
  const { nodeId, settings, machine, endpoint, quorum, authorizer, broker, controller } = options;
  const { clock, random, logger } = machine;
  const image = (): MetadataImage => broker?.image ?? controller?.image ?? emptyImage;
  const activeController = (): NodeId | undefined =>
    broker?.source.activeController ?? controller?.quorum.status.leader;
  const term = (): number => broker?.source.term ?? controller?.quorum.status.term ?? 0;
  const links = new ControllerLinks({
    endpoint,
    controllers: quorum,
    clock,
    logger,
    onDown: () => undefined,
    onActive: () => undefined,
  });
  const traffic = broker?.traffic ?? new Traffic();
  const telemetry = new PeerTelemetry({
    nodeId,
    endpoint,
    clock,
    logger,
    own: () =>
      ownTelemetry({
        http: address,
        isReady: () => broker === undefined || broker.readiness().length === 0,
        residentBytes: () => process.memoryUsage.rss(),
        loopDelayUs: () => Math.round(loopDelayMs() * 1_000),
        replicas: () => broker?.replicas() ?? [],
        traffic,
      }),
  });
  const events = new EventFollower({
    activeController,
    term,
    read: (from, request) => {
      links.follow(votersOf(image(), quorum));
      return links.call(from, controlMethods.readEvents, request, 2_000);
    },
  });
  const facts = () => ({
    image: image(),
    isStale: broker?.source.isStale ?? false,
    controller: activeController(),
    term: term(),
  });
  const feed = new LiveFeed({ nodeId, clock, telemetry, events, facts });
  const brokers = (): string[] => {
    const all = [...image().brokers.values()].filter((one) => one.state !== 'fenced');
    all.sort((a, b) => Number(b.nodeId === nodeId) - Number(a.nodeId === nodeId));
    return all.map(({ host, port }) => `${host}:${port}`);
  };
  const dashboard = new Dashboard({ settings, authorizer, clock, random, feed, brokers });
  return { dashboard, links };
}

/** The voters as committed; before anything is known, those of the settings. */
function votersOf(image: MetadataImage, quorum: readonly PeerAddress[]): readonly PeerAddress[] {
  return image.voters.length > 0 ? image.voters : quorum;
}
