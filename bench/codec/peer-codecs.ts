/**
 * The record codecs inside kafkajs and @platformatic/kafka, typed as far as they are called here.
 * These are internal modules; the exact versions are pinned.
 */
import { createRequire } from 'node:module';

const load = createRequire(import.meta.url);

export interface PlatformaticMessage {
  readonly timestamp: bigint;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Map<Buffer, Buffer>;
}

export interface PlatformaticCodec {
  createRecordsBatch(
    messages: readonly PlatformaticMessage[],
    options: { readonly partitionLeaderEpoch: number; readonly compression?: string },
  ): { readonly buffer: Buffer };
  readRecordsBatch(reader: unknown): {
    readonly firstOffset: bigint;
    readonly firstTimestamp: bigint;
    readonly records: ReadonlyArray<{
      readonly timestampDelta: bigint;
      readonly key: Buffer | null;
      readonly value: Buffer | null;
      readonly headers: ReadonlyArray<readonly [Buffer, Buffer]>;
    }>;
  };
  readonly Reader: { from(bytes: Buffer): unknown };
}

export async function loadPlatformatic(): Promise<PlatformaticCodec> {
  const entry = load.resolve('@platformatic/kafka');
  const from = async (file: string): Promise<object> =>
    (await import(entry.replace(/index\.js$/, `protocol/${file}.js`))) as object;
  return { ...(await from('records')), ...(await from('reader')) } as PlatformaticCodec;
}

export interface KafkajsMessage {
  readonly offsetDelta: number;
  readonly timestampDelta: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer>>;
}

export interface KafkajsCodec {
  Record(message: KafkajsMessage): unknown;
  RecordBatch(fields: Readonly<Record<string, unknown>>): Promise<{ readonly buffer: Buffer }>;
  decodeBatch(decoder: unknown): Promise<{
    readonly records: ReadonlyArray<{
      readonly timestamp: string;
      readonly offset: string;
      readonly key: Buffer | null;
      readonly value: Buffer | null;
      readonly headers: Readonly<Record<string, Buffer>>;
    }>;
  }>;
  readonly Decoder: new (bytes: Buffer) => unknown;
}

export function loadKafkajs(): KafkajsCodec {
  const base = 'kafkajs/src/protocol';
  return {
    ...(load(`${base}/recordBatch/v0`) as Pick<KafkajsCodec, 'RecordBatch'>),
    Record: load(`${base}/recordBatch/record/v0`) as KafkajsCodec['Record'],
    decodeBatch: load(`${base}/recordBatch/v0/decoder`) as KafkajsCodec['decodeBatch'],
    Decoder: load(`${base}/decoder`) as KafkajsCodec['Decoder'],
  };
}

/** The installed version of a peer. */
export function peerVersion(name: string): string {
  const entry = load.resolve(name);
  const root = entry.slice(0, entry.lastIndexOf(`node_modules/${name}`) + 13 + name.length);
  return (load(`${root}/package.json`) as { readonly version: string }).version;
}
