/** The metrics of a node: read from its parts when they are asked for, so that they cost nothing before. */
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { MetadataImage } from '../../proto/metadata/image.ts';
import { partitionsOn } from '../../proto/metadata/image.ts';
import type { NodeId } from '../../proto/model/ids.ts';
import { minInsyncReplicasOf } from '../../proto/model/topic-settings.ts';
import { type Labels, MetricsRegistry } from '../metrics/registry.ts';
import { Traffic } from '../metrics/traffic.ts';
import type { MaintenanceCounts } from '../partitions/log-maintenance.ts';
import type { PartitionDriver } from '../replication/partition-driver.ts';
import { progressOf } from '../services/replica-progress.ts';
import type { BrokerRole } from './broker-role.ts';
import type { ControllerRole } from './controller-role.ts';
import { addTrafficMetrics } from './traffic-metrics.ts';

export interface NodeMetricsSource {
  readonly nodeId: NodeId;
  image(): MetadataImage | undefined;
  replicas(): Iterable<PartitionDriver>;
  /** What was done to the logs in the background; undefined before replicas are hosted. */
  maintenance(): MaintenanceCounts | undefined;
  isReady(): boolean;
  isController(): boolean;
  /** What clients send and read; undefined on a node without the broker role. */
  traffic?(): Traffic | undefined;
}

/** What the roles of a node tell. */
export function metricsSource(
  nodeId: NodeId,
  broker: BrokerRole | undefined,
  controller: ControllerRole | undefined,
): NodeMetricsSource {
  return {
    nodeId,
    image: () => broker?.image,
    replicas: () => broker?.replicas() ?? [],
    maintenance: () => broker?.table?.maintenance.counts,
    isReady: () => broker === undefined || broker.readiness().length === 0,
    isController: () => controller?.quorum.status.isActive ?? false,
    traffic: () => broker?.traffic,
  };
}

const noTraffic = new Traffic();

/** Followers named one by one in a scrape; beyond it only the sums tell. */
const lagRowsMax = 2_000;

/** All metrics of a node; docs/metrics.md is made from them. */
export function nodeMetrics(source: NodeMetricsSource): MetricsRegistry {
  const registry = new MetricsRegistry();
  const delay = loopDelay();
  registry.gauge('highwater_ready', 'Whether the node serves: 1 or 0.', () =>
    Number(source.isReady()),
  );
  registry.gauge(
    'highwater_active_controller',
    'Whether this node is the active controller: 1 or 0.',
    () => Number(source.isController()),
  );
  registry.gauge(
    'highwater_event_loop_delay_p99_ms',
    'Delay of the event loop since the last scrape, 99th percentile.',
    () => delayMs(delay),
  );
  registry.gauge('highwater_resident_bytes', 'Resident memory of the process.', () =>
    process.memoryUsage.rss(),
  );
  addTrafficMetrics(registry, () => source.traffic?.() ?? noTraffic);
  addPartitionGauges(registry, source);
  registry.gauge(
    'highwater_partitions_semi_sync_degraded',
    'Partitions led here whose acks=semi-sync is acknowledged as leader for the time being.',
    () => [...source.replicas()].filter(isDegraded).length,
  );
  registry.gauge(
    'highwater_follower_lag_records',
    'Records that a follower has not stored, by partition led here.',
    () => lagOf(source, (behind) => behind.records),
  );
  registry.gauge(
    'highwater_follower_lag_ms',
    'Time since a follower last had everything, by partition led here.',
    () => lagOf(source, (behind) => behind.ms),
  );
  addMaintenanceGauges(registry, source);
  return registry;
}

/** Counted since the process began. */
function addMaintenanceGauges(registry: MetricsRegistry, source: NodeMetricsSource): void {
  const rows: readonly (readonly [name: string, help: string, key: keyof MaintenanceCounts])[] = [
    ['compaction_passes', 'Passes of compaction since the start.', 'compactions'],
    ['compaction_bytes', 'Bytes that compaction went through since the start.', 'compactedBytes'],
    ['compaction_records_dropped', 'Records that compaction dropped.', 'recordsDropped'],
    ['scrubbed_bytes', 'Bytes read again in search of damage.', 'scrubbedBytes'],
    ['log_damages_found', 'Logs in which the search found bad bytes.', 'damagesFound'],
  ];
  for (const [name, help, key] of rows) {
    registry.gauge(`highwater_${name}`, help, () => source.maintenance()?.[key] ?? 0);
  }
}

/** The 99th percentile since the last call, milliseconds; for the dashboard, which asks often. */
export function loopDelayMs(): number {
  recent ??= monitor();
  return delayMs(recent);
}

/** How often the loop is looked at: a histogram shows this much where there is no delay. */
const resolutionMs = 20;

/** The 99th percentile since it was last asked for. */
function delayMs(histogram: IntervalHistogram): number {
  const p99 = histogram.percentile(99) / 1e6 - resolutionMs;
  histogram.reset();
  return Number.isFinite(p99) ? Math.max(0, p99) : 0;
}

let recent: IntervalHistogram | undefined;

/** One for the process, however many nodes it runs. */
let measured: IntervalHistogram | undefined;

function loopDelay(): IntervalHistogram {
  measured ??= monitor();
  return measured;
}

function monitor(): IntervalHistogram {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  histogram.enable();
  return histogram;
}

function addPartitionGauges(registry: MetricsRegistry, source: NodeMetricsSource): void {
  const count = (matches: (health: PartitionHealth) => boolean): number => {
    let found = 0;
    for (const health of healthOf(source)) if (matches(health)) found++;
    return found;
  };
  registry.gauge('highwater_partitions_led', 'Partitions that this node leads.', () =>
    count((one) => one.isLed),
  );
  registry.gauge('highwater_partitions_hosted', 'Partitions with a replica here.', () =>
    count(() => true),
  );
  registry.gauge(
    'highwater_partitions_offline',
    'Partitions with a replica here and no leader.',
    () => count((one) => one.isOffline),
  );
  registry.gauge(
    'highwater_partitions_under_replicated',
    'Partitions led here whose in-sync set is not full.',
    () => count((one) => one.isLed && one.isUnderReplicated),
  );
  registry.gauge(
    'highwater_partitions_under_min_isr',
    'Partitions led here below min.insync.replicas: acks=all is refused.',
    () => count((one) => one.isLed && one.isUnderMin),
  );
}

function isDegraded({ state: { role } }: PartitionDriver): boolean {
  return role.kind === 'leader' && role.semiSync.degradedUntil !== undefined;
}

interface PartitionHealth {
  readonly isLed: boolean;
  readonly isOffline: boolean;
  readonly isUnderReplicated: boolean;
  readonly isUnderMin: boolean;
}

function* healthOf(source: NodeMetricsSource): IterableIterator<PartitionHealth> {
  const { nodeId } = source;
  const present = source.image();
  if (present === undefined) return;
  for (const { topic, partition } of partitionsOn(present, nodeId)) {
    const { leader, isr, replicas } = partition;
    yield {
      isLed: leader === nodeId,
      isOffline: leader === undefined,
      isUnderReplicated: isr.length < replicas.length,
      isUnderMin: isr.length < minInsyncReplicasOf(topic.settings, replicas.length),
    };
  }
}

function* lagOf(
  source: NodeMetricsSource,
  pick: (behind: { records: number; ms: number }) => number,
): IterableIterator<readonly [Labels, number]> {
  let rows = 0;
  for (const replica of source.replicas()) {
    if (replica.state.role.kind !== 'leader') continue;
    const topic = source.image()?.topics.get(replica.topicId)?.name ?? replica.topicId;
    const [own, ...followers] = progressOf(replica);
    for (const { nodeId, storedEnd, lagMs } of followers) {
      if (rows++ >= lagRowsMax) return;
      const labels = { topic, partition: replica.partition, follower: nodeId };
      yield [labels, pick({ records: Math.max(0, (own?.logEnd ?? 0) - storedEnd), ms: lagMs })];
    }
  }
}
