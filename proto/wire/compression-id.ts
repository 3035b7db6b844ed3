/** Codecs by the number that Kafka gives them in the attributes of a batch. */
export const compressionNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

export type CompressionName = (typeof compressionNames)[number];
export type CompressionId = 0 | 1 | 2 | 3 | 4;

export function isCompressionId(id: number): id is CompressionId {
  return Number.isInteger(id) && id >= 0 && id < compressionNames.length;
}

export function compressionId(name: CompressionName): CompressionId {
  return compressionNames.indexOf(name) as CompressionId;
}
