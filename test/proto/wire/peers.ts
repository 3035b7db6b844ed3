/**
 * What two Kafka clients write and read, in one form.
 */
import type { KafkajsCodec, PlatformaticCodec } from '../../../bench/codec/peer-codecs.ts';

export interface PeerRecord {
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer>>;
}

/** What a peer read from a batch. */
export interface PeerReading {
  readonly firstOffset: bigint;
  readonly records: readonly PeerRecord[];
}

/** A batch as @platformatic/kafka writes it. */
export function encodeWithPlatformatic(
  codec: PlatformaticCodec,
  records: readonly PeerRecord[],
  compression = 'none',
): Buffer {
  const messages = records.map((record) => ({
    timestamp: BigInt(record.timestamp),
    key: record.key,
    value: record.value,
    headers: new Map(
      Object.entries(record.headers).map(([key, value]) => [Buffer.from(key), value]),
    ),
  }));
  return codec.createRecordsBatch(messages, { compression, partitionLeaderEpoch: -1 }).buffer;
}

/** What @platformatic/kafka reads from a batch. */
export function decodeWithPlatformatic(codec: PlatformaticCodec, bytes: Buffer): PeerReading {
  const batch = codec.readRecordsBatch(codec.Reader.from(bytes));
  const records = batch.records.map((record) => ({
    timestamp: Number(batch.firstTimestamp + record.timestampDelta),
    key: record.key,
    value: record.value,
    headers: Object.fromEntries(record.headers.map(([key, value]) => [key.toString(), value])),
  }));
  return { firstOffset: batch.firstOffset, records };
}

/** A batch as kafkajs writes it; `compression` is Kafka's codec number. */
export async function encodeWithKafkajs(
  codec: KafkajsCodec,
  records: readonly PeerRecord[],
  compression = 0,
): Promise<Buffer> {
  const first = records[0]?.timestamp ?? 0;
  const encoded = records.map((record, offsetDelta) =>
    codec.Record({
      offsetDelta,
      timestampDelta: record.timestamp - first,
      key: record.key,
      value: record.value,
      headers: record.headers,
    }),
  );
  const batch = await codec.RecordBatch({
    compression,
    firstTimestamp: first,
    maxTimestamp: records.reduce((most, record) => Math.max(most, record.timestamp), first),
    partitionLeaderEpoch: -1,
    lastOffsetDelta: records.length - 1,
    records: encoded,
  });
  return batch.buffer;
}

/** What kafkajs reads from a batch. */
export async function decodeWithKafkajs(codec: KafkajsCodec, bytes: Buffer): Promise<PeerReading> {
  const batch = await codec.decodeBatch(new codec.Decoder(bytes));
  const records = batch.records.map((record) => ({
    timestamp: Number(record.timestamp),
    key: record.key,
    value: record.value,
    headers: { ...record.headers },
  }));
  return { firstOffset: BigInt(batch.records[0]?.offset ?? 0), records };
}
