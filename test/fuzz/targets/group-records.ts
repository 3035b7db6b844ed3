import { decodeGroupRecord, encodeGroupRecord } from '../../../broker/group/record-codec.ts';
import { seededRandom } from '../random.ts';
import type { FuzzTarget } from '../target.ts';
import { checkDecoder } from './decoder-promises.ts';
import { sampleMessage } from './sample-messages.ts';

const topic = '0b6f0c5e-1d2a-4f3b-8c4d-5e6f708192a3';
const keys = [
  ['g', 'billing'],
  ['m', 'billing', 'member-1'],
  ['o', 'billing', topic, '4'],
];

/** Records of groups. An input is a byte of length, the key, and the value; none if that is empty. */
export const groupRecordsTarget: FuzzTarget = {
  name: 'group-records',
  async seeds() {
    const random = seededRandom(1);
    return Array.from({ length: 60 }, (_, index) => {
      const key = Buffer.from(JSON.stringify(keys[index % keys.length]));
      return joined(key, sampleMessage('highwater.group.v1.GroupRecord', random));
    });
  },
  check(input) {
    checkDecoder(
      {
        decode(bytes) {
          const end = 1 + (bytes[0] ?? 0);
          const value = bytes.subarray(end);
          return decodeGroupRecord(bytes.subarray(1, end), value.length === 0 ? null : value);
        },
        encode(record) {
          const { key, value } = encodeGroupRecord(record);
          return joined(key, value ?? Buffer.alloc(0));
        },
      },
      input,
    );
  },
};

function joined(key: Buffer, value: Buffer): Buffer {
  return Buffer.concat([Buffer.of(key.length), key, value]);
}
