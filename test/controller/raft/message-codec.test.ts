import { describe, expect, it } from 'vitest';
import type { Envelope, MessageBody } from '../../../controller/raft/core/messages.ts';
import { decodeMessage, encodeMessage } from '../../../controller/raft/message-codec.ts';
import { logIndex, term as makeTerm } from '../../../proto/model/offset.ts';
import { voterOf } from '../../scenario/raft/core-cluster.ts';

const last = { index: logIndex(7), term: makeTerm(3) };
const voters = [voterOf(1), voterOf(2)];
const head = { ...last, voters, bytes: 4, checksum: 0xfedcba98 };

const bodies: readonly MessageBody[] = [
  { kind: 'pre-vote-request', campaign: 4, last },
  { kind: 'pre-vote-response', campaign: 4, isGranted: true },
  { kind: 'vote-request', last, isTransfer: true },
  { kind: 'vote-response', isGranted: false },
  {
    kind: 'append-request',
    previous: last,
    entries: [
      { index: logIndex(8), term: makeTerm(3), body: { kind: 'noop' } },
      {
        index: logIndex(9),
        term: makeTerm(4),
        body: { kind: 'command', data: Buffer.from('first') },
      },
      { index: logIndex(10), term: makeTerm(4), body: { kind: 'config', voters } },
      { index: logIndex(11), term: makeTerm(5), body: { kind: 'command', data: Buffer.alloc(0) } },
    ],
    commitIndex: logIndex(2 ** 40),
    round: 5,
  },
  { kind: 'append-accepted', matchIndex: logIndex(9), round: 1 },
  { kind: 'append-rejected', rejectedIndex: logIndex(9), hint: last, round: 0 },
  { kind: 'snapshot-chunk', head, offset: 2, data: Buffer.from([1, 2]), round: 6 },
  { kind: 'snapshot-progress', index: logIndex(9), offset: 3, round: 7 },
  { kind: 'timeout-now' },
];

function envelope(body: MessageBody): Envelope {
  return { from: voterOf(1).id, to: voterOf(2).id, term: makeTerm(2 ** 50), body };
}

describe('a quorum message', () => {
  it.each(bodies)('of kind $kind arrives as it was sent', (body) => {
    const { header, payload } = encodeMessage(envelope(body));
    expect(decodeMessage(header, Buffer.concat(payload))).toEqual(envelope(body));
  });

  it('whose payload does not fit its entries is refused', () => {
    const append = bodies[4];
    const { header, payload } = encodeMessage(envelope(append ?? { kind: 'timeout-now' }));
    const whole = Buffer.concat(payload);
    for (const wrong of [whole.subarray(1), Buffer.concat([whole, Buffer.from('x')])]) {
      expect(() => decodeMessage(header, wrong)).toThrow(/payload/);
    }
  });

  it('that is cut anywhere is refused or is another whole message, never a failure of another kind', () => {
    for (const body of bodies) {
      const { header, payload } = encodeMessage(envelope(body));
      for (let end = 0; end < header.length; end++) {
        try {
          decodeMessage(header.subarray(0, end), Buffer.concat(payload));
        } catch (error) {
          expect(error).toMatchObject({ name: 'HighwaterError', code: 'INVALID_REQUEST' });
        }
      }
    }
  });
});
