import { expect, it } from 'vitest';
import { takeNamedOnce } from '../../../broker/replication/named-once.ts';
import { partitionNumber, topicId } from '../../../proto/model/ids.ts';
import { uuid } from '../../proto/metadata/metadata-builders.ts';

it('no message asks twice for one replica, and what waits keeps its order', () => {
  const replica = (partition: number) => ({
    topicId: topicId(uuid(1)),
    partition: partitionNumber(partition),
  });
  const [a, b] = [replica(0), replica(1)];
  const asked = [
    { driver: a, proposal: 2 },
    { driver: a, proposal: 3 },
    { driver: b, proposal: 1 },
    { driver: a, proposal: undefined },
  ];
  const first = takeNamedOnce(asked);
  expect(first.taken).toEqual([asked[0], asked[2]]);
  expect(first.left).toEqual([asked[1], asked[3]]);
  const second = takeNamedOnce(first.left);
  expect(second.taken).toEqual([asked[1]]);
  expect(takeNamedOnce(second.left)).toEqual({ taken: [asked[3]], left: [] });
});
