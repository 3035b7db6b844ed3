/**
 * The encoders and decoders of two Kafka clients, typed as far as the tests and the codec bench need
 * them. Their internal modules carry no types of their own.
 */
import { createRequire } from 'node:module';

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

export interface PlatformaticMessage {
  timestamp?: bigint;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Map<Buffer, Buffer>;
}

interface PlatformaticRecord {
  readonly timestampDelta: bigint;
  readonly offsetDelta: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: ReadonlyArray<readonly [Buffer, Buffer]>;
}

interface PlatformaticBatch {
  readonly firstOffset: bigint;
  readonly firstTimestamp: bigint;
  readonly records: readonly PlatformaticRecord[];
}

export interface PlatformaticCodec {
  createRecordsBatch(
    messages: PlatformaticMessage[],
    options?: { readonly compression?: string; readonly partitionLeaderEpoch?: number },
  ): { readonly buffer: Buffer };
  readRecordsBatch(reader: unknown): PlatformaticBatch;
  readonly Reader: { from(bytes: Buffer): unknown };
}

export interface KafkajsRecord {
  readonly timestamp: string;
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer>>;
}

export interface KafkajsCodec {
  Record(fields: {
    readonly offsetDelta: number;
    readonly timestampDelta: number;
    readonly key: Buffer | null;
    readonly value: Buffer | null;
    readonly headers: Readonly<Record<string, Buffer>>;
  }): unknown;
  RecordBatch(fields: Readonly<Record<string, unknown>>): Promise<{ readonly buffer: Buffer }>;
  decodeBatch(decoder: unknown): Promise<{ readonly records: readonly KafkajsRecord[] }>;
  readonly Decoder: new (bytes: Buffer) => unknown;
}

const load = createRequire(import.meta.url);

/** @platformatic/kafka's record codec. */
export async function loadPlatformatic(): Promise<PlatformaticCodec> {
  const at = (file: string): string =>
    load.resolve('@platformatic/kafka').replace(/index\.js$/, `protocol/${file}.js`);
  const records = (await import(at('records'))) as Pick<
    PlatformaticCodec,
    'createRecordsBatch' | 'readRecordsBatch'
  >;
  const reader = (await import(at('reader'))) as Pick<PlatformaticCodec, 'Reader'>;
  return { ...records, Reader: reader.Reader };
}

/** kafkajs's record codec. */
export function loadKafkajs(): KafkajsCodec {
  const base = 'kafkajs/src/protocol';
  return {
    Record: load(`${base}/recordBatch/record/v0`) as KafkajsCodec['Record'],
    RecordBatch: (load(`${base}/recordBatch/v0`) as Pick<KafkajsCodec, 'RecordBatch'>).RecordBatch,
    decodeBatch: load(`${base}/recordBatch/v0/decoder`) as KafkajsCodec['decodeBatch'],
    Decoder: load(`${base}/decoder`) as KafkajsCodec['Decoder'],
  };
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
