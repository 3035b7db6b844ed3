/**
 * Codecs by id. gzip comes with Node; the others are optional packages, loaded when first wanted, so
 * that everything else works without them. A missing one is UNSUPPORTED_COMPRESSION and says what
 * to install.
 */
import { HighwaterError } from '../../model/errors.ts';
import { limits } from '../../model/limits.ts';
import { type BatchFault, batchFault } from '../batch-fault.ts';
import {
  type CompressionId,
  type CompressionName,
  compressionId,
  compressionNames,
} from '../compression-id.ts';
import type { CompressionCodec } from './codec.ts';
import { gzipCodec } from './gzip.ts';

const loaded = new Map<CompressionId, CompressionCodec>([[1, gzipCodec]]);

/** npm packages of the optional codecs, as the user would install them. */
const packages = { snappy: 'snappy', lz4: 'lz4-napi', zstd: '@bokuweb/zstd-wasm' } as const;

/** Makes a codec usable; done once for each codec that a connection may meet. */
export async function loadCompression(name: CompressionName): Promise<void> {
  if (name === 'none' || name === 'gzip' || loaded.has(compressionId(name))) return;
  try {
    loaded.set(compressionId(name), await importCodec(name));
  } catch (cause) {
    throw new HighwaterError(
      'UNSUPPORTED_COMPRESSION',
      `compression ${name} needs a package that is not installed: npm install ${packages[name]}`,
      { cause, facts: { compression: name, package: packages[name] } },
    );
  }
}

/** True once the codec may be used. */
export function isCompressionLoaded(id: CompressionId): boolean {
  return id === 0 || loaded.has(id);
}

/** The codec of an id; undefined for `none` and for one that is not loaded. */
export function findCodec(id: CompressionId): CompressionCodec | undefined {
  return loaded.get(id);
}

/** Decompresses the records of one batch within the bounds of bytes and ratio. Never throws. */
export function decompress(id: CompressionId, bytes: Buffer): Buffer | BatchFault {
  const codec = loaded.get(id);
  if (codec === undefined) {
    return batchFault(
      'UNSUPPORTED_COMPRESSION',
      `compression ${compressionNames[id]} is not loaded`,
    );
  }
  try {
    return codec.decompress(bytes, decompressedBytesAllowed(bytes.length));
  } catch (caught) {
    const text = caught instanceof Error ? caught.message : String(caught);
    return batchFault('CORRUPT_BATCH', `${compressionNames[id]}: ${text}`);
  }
}

/**
 * A batch that would be legal uncompressed is never a bomb, however well it compresses; beyond that
 * the ratio counts, and in the end the bytes.
 */
export function decompressedBytesAllowed(compressedBytes: number): number {
  const byRatio = Math.max(limits.batchBytesMax, compressedBytes * limits.decompressionRatioMax);
  return Math.min(byRatio, limits.decompressedBytesMax);
}

async function importCodec(name: 'snappy' | 'lz4' | 'zstd'): Promise<CompressionCodec> {
  switch (name) {
    case 'snappy':
      return (await import('./snappy.ts')).loadSnappy();
    case 'lz4':
      return (await import('./lz4.ts')).loadLz4();
    case 'zstd':
      return (await import('./zstd.ts')).loadZstd();
  }
}
