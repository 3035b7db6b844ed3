import { beforeAll, describe, expect, it } from 'vitest';
import {
  loadKafkajs,
  loadPlatformatic,
  type PlatformaticCodec,
} from '../../../bench/codec/peer-codecs.ts';
import { layout } from '../../../proto/wire/batch-layout.ts';
import { findCodec, loadCompression } from '../../../proto/wire/compression/codecs.ts';
import { compressionId, compressionNames } from '../../../proto/wire/compression-id.ts';
import {
  decodeWithKafkajs,
  decodeWithPlatformatic,
  encodeWithKafkajs,
  encodeWithPlatformatic,
} from './peers.ts';
import { decode, encode, sampleRecords } from './records.ts';

const kafkajs = loadKafkajs();
let platformatic: PlatformaticCodec;
const records = sampleRecords();
/**
 * @platformatic/kafka 1.35.0 writes a timestamp delta beyond 32 bits with the wrong sign (it reads one
 * rightly), so what it writes is checked on the records without one.
 */
const recent = records.filter((record) => record.value?.length !== 9000);
/** kafkajs and @platformatic/kafka write epoch 0 and sequence 0 beside producer id -1. */
const peerSeal = { producerId: -1, producerEpoch: 0, baseSequence: 0 };

beforeAll(async () => {
  platformatic = await loadPlatformatic();
  for (const name of compressionNames) await loadCompression(name);
});

describe('without compression', () => {
  it('writes the same bytes as kafkajs', async () => {
    expect(encode(records, peerSeal).equals(await encodeWithKafkajs(kafkajs, records))).toBe(true);
  });

  it('writes the same bytes as @platformatic/kafka', () => {
    expect(encode(recent, peerSeal).equals(encodeWithPlatformatic(platformatic, recent))).toBe(
      true,
    );
  });

  it('is read by kafkajs', async () => {
    expect((await decodeWithKafkajs(kafkajs, encode(records))).records).toEqual(records);
  });

  it('is read by @platformatic/kafka', () => {
    expect(decodeWithPlatformatic(platformatic, encode(records)).records).toEqual(records);
  });

  it('reads kafkajs and @platformatic/kafka', async () => {
    expect(decode(await encodeWithKafkajs(kafkajs, records))).toEqual(records);
    expect(decode(encodeWithPlatformatic(platformatic, recent))).toEqual(recent);
  });
});

/** @platformatic/kafka has zstd only where Node has it. */
const hasPeer = (name: string): boolean =>
  name !== 'zstd' || 'zstdCompressSync' in process.getBuiltinModule('node:zlib');

describe.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)('compressed with %s', (name) => {
  const ours = (): Buffer => {
    const codec = findCodec(compressionId(name));
    return encode(records, codec === undefined ? peerSeal : { ...peerSeal, codec });
  };

  it('names the codec, shrinks and reads back', () => {
    const bytes = ours();
    expect(bytes.readInt16BE(layout.attributes)).toBe(compressionId(name));
    expect(bytes.length).toBeLessThan(encode(records).length);
    expect(decode(bytes)).toEqual(records);
  });

  it.runIf(hasPeer(name))('is read by @platformatic/kafka, and reads it', () => {
    expect(decodeWithPlatformatic(platformatic, ours()).records).toEqual(records);
    expect(decode(encodeWithPlatformatic(platformatic, recent, name))).toEqual(recent);
  });

  it.runIf(name === 'gzip')('is read by kafkajs, and reads it', async () => {
    expect((await decodeWithKafkajs(kafkajs, ours())).records).toEqual(records);
    expect(decode(await encodeWithKafkajs(kafkajs, records, 1))).toEqual(records);
  });
});
