import { describe, expect, it } from 'vitest';
import { Session } from '../../../client/session/session.ts';
import { partitionNumber, topicId } from '../../../proto/model/ids.ts';
import { leaderEpoch, offset } from '../../../proto/model/offset.ts';

const topic = topicId('00000000-0000-4000-8000-000000000001');
const partition = partitionNumber(3);
const at = (place: number, epoch: number) => ({
  offset: offset(place),
  leaderEpoch: leaderEpoch(epoch),
});

describe('a session', () => {
  it('grows, and never goes back', () => {
    const session = new Session();
    session.advance(topic, partition, at(10, 2));
    session.advance(topic, partition, at(8, 2));
    expect(session.positionOf(topic, partition)).toEqual(at(10, 2));
    session.advance(topic, partition, at(12, 3));
    expect(session.positionOf(topic, partition)).toEqual(at(12, 3));
  });

  it('keeps a greater offset of an older epoch, so that its loss is told', () => {
    const session = new Session();
    session.advance(topic, partition, at(10, 1));
    session.advance(topic, partition, at(9, 2));
    expect(session.positionOf(topic, partition)).toEqual(at(10, 1));
  });

  it('goes on elsewhere by its token', () => {
    const session = new Session();
    session.advance(topic, partition, at(10, 2));
    const other = new Session(session.token());
    other.advance(topic, partitionNumber(4), at(1, 1));
    expect(other.positionOf(topic, partition)).toEqual(at(10, 2));
    session.merge(other.token());
    expect(session.positionOf(topic, partitionNumber(4))).toEqual(at(1, 1));
    session.forget(topic, partition);
    expect(session.positionOf(topic, partition)).toBeUndefined();
  });

  it('refuses what is no token', () => {
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const wrong = [
      '',
      'x',
      encode({}),
      encode([2, []]),
      encode([1, [['nothing/1', 1, 1]]]),
      encode([1, [[`${topic}/1`, -1, 1]]]),
      encode([1, [[`${topic}/1`, 1.5, 1]]]),
      encode([1, [[`${topic}/x`, 1, 1]]]),
      encode([1, [null]]),
    ];
    for (const token of wrong) expect(() => new Session(token), token).toThrowError(/token/);
  });
});
