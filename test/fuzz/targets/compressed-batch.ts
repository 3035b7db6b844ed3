import { unsequenced } from '../../../proto/wire/batch-builder.ts';
import { findCodec, loadCompression } from '../../../proto/wire/compression/codecs.ts';
import { compressionId } from '../../../proto/wire/compression-id.ts';
import { encode, sampleRecords } from '../../proto/wire/records.ts';
import type { FuzzTarget } from '../target.ts';
import { checkBatchPromises, repairBatch } from './batch-promises.ts';

const records = sampleRecords();

/** Compressed records, every codec. */
export const compressedBatchTarget: FuzzTarget = {
  name: 'compressed-batch',
  async seeds() {
    const seeds: Buffer[] = [];
    for (const name of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
      await loadCompression(name);
      const codec = findCodec(compressionId(name));
      if (codec !== undefined) seeds.push(encode(records.slice(6, 60), { ...unsequenced, codec }));
    }
    return seeds;
  },
  repair: repairBatch,
  check: checkBatchPromises,
};
