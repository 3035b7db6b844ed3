import { decodeRecords, encodeRecords } from '../../../proto/metadata/records.ts';
import { seededRandom } from '../random.ts';
import type { FuzzTarget } from '../target.ts';
import { checkDecoder } from './decoder-promises.ts';
import { sampleMessage } from './sample-messages.ts';

/** The records of one metadata change. */
export const metadataRecordsTarget: FuzzTarget = {
  name: 'metadata-records',
  async seeds() {
    const random = seededRandom(1);
    return Array.from({ length: 40 }, () => {
      const count = 1 + random.below(3);
      return Buffer.concat(Array.from({ length: count }, () => delimited(random)));
    });
  },
  check: (input) => checkDecoder({ decode: decodeRecords, encode: encodeRecords }, input),
};

function delimited(random: ReturnType<typeof seededRandom>): Buffer {
  const bytes = sampleMessage('highwater.metadata.v1.MetadataRecord', random);
  const { length } = bytes;
  return Buffer.concat([Buffer.of((length & 127) | 128, length >> 7), bytes]);
}
