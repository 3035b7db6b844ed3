/** Zstandard: from Node where it has it (22.15 and later), otherwise a WebAssembly package. */
import zlib from 'node:zlib';
import { limits } from '../../model/limits.ts';
import type { CompressionCodec } from './codec.ts';
import { boundedBy } from './gzip.ts';
import { tooLarge } from './too-large.ts';
import { readZstdFrame, type ZstdFrame } from './zstd-frame.ts';

type Decompress = (
  bytes: Buffer,
  frame: ZstdFrame,
  bytesMax: number,
) => ReturnType<CompressionCodec['decompress']>;

/** What later versions of Node add to their zlib. */
interface NativeZstd {
  readonly zstdCompressSync?: (bytes: Buffer) => Buffer;
  readonly zstdDecompressSync?: (bytes: Buffer, options: { maxOutputLength: number }) => Buffer;
}

export async function loadZstd(): Promise<CompressionCodec> {
  return nativeZstd(zlib as NativeZstd) ?? (await wasmZstd());
}

function nativeZstd(native: NativeZstd): CompressionCodec | undefined {
  const { zstdCompressSync, zstdDecompressSync } = native;
  if (zstdCompressSync === undefined || zstdDecompressSync === undefined) return undefined;
  return zstdCodec(
    (bytes) => zstdCompressSync(bytes),
    (bytes, _frame, bytesMax) =>
      boundedBy(bytesMax, () => zstdDecompressSync(bytes, { maxOutputLength: bytesMax })),
  );
}

async function wasmZstd(): Promise<CompressionCodec> {
  const { init, compress, decompress } = await import('@bokuweb/zstd-wasm');
  await init();
  return zstdCodec(
    (bytes) => asBuffer(compress(bytes)),
    (bytes, frame, bytesMax) => {
      // Without a stated size the package decodes into a space of the size that it is told.
      const defaultHeapSize = Math.max(1, Math.min(bytesMax, frame.bytesBound));
      try {
        return asBuffer(decompress(bytes, { defaultHeapSize }));
      } catch (caught) {
        // The package does not say which: where the space may have been too small, it was.
        if (frame.contentBytes === undefined && frame.bytesBound > bytesMax) {
          return tooLarge(bytesMax);
        }
        throw caught;
      }
    },
  );
}

function zstdCodec(compress: (bytes: Buffer) => Buffer, decompress: Decompress): CompressionCodec {
  return {
    id: 4,
    compress,
    decompress(bytes, bytesMax) {
      const frame = readZstdFrame(bytes);
      if ('kind' in frame) return frame;
      const expected = frame.contentBytes ?? 0;
      if (expected > bytesMax || frame.windowBytes > limits.decompressedBytesMax) {
        return tooLarge(bytesMax);
      }
      return decompress(bytes, frame, bytesMax);
    },
  };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
