import { bytesSum, type CodecContender, readingSum } from './contender.ts';
import {
  type KafkajsMessage,
  loadKafkajs,
  loadPlatformatic,
  type PlatformaticMessage,
} from './peer-codecs.ts';

/**
 * kafkajs as its producer and consumer call it: an encoder for each record, then the batch. It does
 * not look at checksums when it reads.
 */
export function kafkajsContender(): CodecContender {
  const codec = loadKafkajs();
  let messages: readonly KafkajsMessage[] = [];
  let firstTimestamp = 0;
  let maxTimestamp = 0;
  return {
    prepare(samples) {
      firstTimestamp = samples[0]?.timestamp ?? 0;
      maxTimestamp = samples.reduce((most, { timestamp }) => Math.max(most, timestamp), 0);
      messages = samples.map((sample, offsetDelta) => ({
        offsetDelta,
        timestampDelta: sample.timestamp - firstTimestamp,
        key: Buffer.from(sample.key),
        value: Buffer.from(sample.value),
        headers: { [sample.headerKey]: Buffer.from(sample.headerValue) },
      }));
    },
    async encode() {
      const batch = await codec.RecordBatch({
        firstTimestamp,
        maxTimestamp,
        partitionLeaderEpoch: -1,
        lastOffsetDelta: messages.length - 1,
        records: messages.map((message) => codec.Record(message)),
      });
      return batch.buffer;
    },
    async decode(bytes) {
      const { records } = await codec.decodeBatch(new codec.Decoder(bytes));
      let sum = 0;
      for (const record of records) {
        sum += readingSum(Number(record.timestamp), record.key, record.value);
        for (const key in record.headers) {
          sum += key.length + bytesSum(record.headers[key] ?? null);
        }
      }
      return sum;
    },
  };
}

/** @platformatic/kafka on Buffers, its fastest input. It does not look at checksums when it reads. */
export async function platformaticContender(): Promise<CodecContender> {
  const codec = await loadPlatformatic();
  let messages: readonly PlatformaticMessage[] = [];
  return {
    prepare(samples) {
      messages = samples.map((sample) => ({
        timestamp: BigInt(sample.timestamp),
        key: Buffer.from(sample.key),
        value: Buffer.from(sample.value),
        headers: new Map([[Buffer.from(sample.headerKey), Buffer.from(sample.headerValue)]]),
      }));
    },
    // The connection joins the parts before it writes them, so the join belongs to the encoding.
    encode: () => codec.createRecordsBatch(messages, { partitionLeaderEpoch: -1 }).buffer,
    decode(bytes) {
      const batch = codec.readRecordsBatch(codec.Reader.from(bytes));
      let sum = 0;
      for (const record of batch.records) {
        const timestamp = Number(batch.firstTimestamp + record.timestampDelta);
        sum += readingSum(timestamp, record.key, record.value);
        for (const [key, value] of record.headers) sum += key.length + bytesSum(value);
      }
      return sum;
    },
  };
}
