import { encode, sampleRecords } from '../../proto/wire/records.ts';
import type { FuzzTarget } from '../target.ts';
import { checkBatchPromises, repairBatch } from './batch-promises.ts';

const records = sampleRecords();

/** Heads and records, without compression. */
export const recordBatchTarget: FuzzTarget = {
  name: 'record-batch',
  async seeds() {
    return [encode(records.slice(0, 1)), encode(records.slice(0, 6)), encode(records.slice(6, 20))];
  },
  repair: repairBatch,
  check: checkBatchPromises,
};
