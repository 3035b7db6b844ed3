/** LZ4 in its frame format with independent blocks, the only form that Kafka's clients take. */
import type { CompressionCodec } from './codec.ts';
import { lz4DecompressedBytes } from './lz4-frame.ts';
import { tooLarge } from './too-large.ts';

export async function loadLz4(): Promise<CompressionCodec> {
  const { compressFrameSync, decompressFrameSync } = await import('lz4-napi');
  return {
    id: 3,
    compress: (bytes) => compressFrameSync(bytes),
    decompress(bytes, bytesMax) {
      const size = lz4DecompressedBytes(bytes, bytesMax);
      if (typeof size !== 'number') return size;
      return size > bytesMax ? tooLarge(bytesMax) : decompressFrameSync(bytes);
    },
  };
}
