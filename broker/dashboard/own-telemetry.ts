/** What this node tells of itself: its figures, and how far each of its replicas has come. */
import type {
  ReadTelemetryResponse,
  TopicTelemetry,
} from '../../proto/generated/highwater/peer/v1/telemetry.ts';
import type { TopicId } from '../../proto/model/ids.ts';
import type { Offset } from '../../proto/model/offset.ts';
import type { Traffic } from '../metrics/traffic.ts';
import type { PartitionDriver } from '../replication/partition-driver.ts';

export interface TelemetrySource {
  /** Where the dashboard of this node is found; empty if it serves none. */
  http(): string;
  isReady(): boolean;
  residentBytes(): number;
  loopDelayUs(): number;
  replicas(): Iterable<PartitionDriver>;
  readonly traffic: Traffic;
}

/** Replicas told in one answer; the others are left out. */
const replicasMax = 20_000;

/** Read in one turn, so that the figures of a replica agree. */
export function ownTelemetry(source: TelemetrySource): ReadTelemetryResponse {
  const { producedBytes, producedRecords, fetchedBytes, produceMs } = source.traffic;
  return {
    http: source.http(),
    ready: source.isReady(),
    residentBytes: source.residentBytes(),
    loopDelayUs: source.loopDelayUs(),
    traffic: { producedBytes, producedRecords, fetchedBytes, produceMs: [...produceMs] },
    topics: topicsOf(source.replicas()),
  };
}

interface Columns extends TopicTelemetry {
  readonly partitions: number[];
  readonly leading: number[];
  readonly logStarts: Offset[];
  readonly logEnds: Offset[];
  readonly storedEnds: Offset[];
  readonly watermarks: Offset[];
}

function topicsOf(replicas: Iterable<PartitionDriver>): TopicTelemetry[] {
  const topics = new Map<TopicId, Columns>();
  let told = 0;
  for (const { topicId, partition, state } of replicas) {
    if (told++ >= replicasMax) break;
    let topic = topics.get(topicId);
    if (topic === undefined) {
      topic = emptyColumns(topicId);
      topics.set(topicId, topic);
    }
    const { role, log, metadata, watermark } = state;
    const epoch = role.kind === 'leader' ? metadata?.leaderEpoch : undefined;
    topic.partitions.push(partition);
    topic.leading.push(epoch === undefined ? 0 : epoch + 1);
    topic.logStarts.push(log.start);
    topic.logEnds.push(log.end);
    topic.storedEnds.push(log.stored);
    topic.watermarks.push(watermark);
  }
  return [...topics.values()];
}

function emptyColumns(topicId: TopicId): Columns {
  return {
    topicId,
    partitions: [],
    leading: [],
    logStarts: [],
    logEnds: [],
    storedEnds: [],
    watermarks: [],
  };
}
