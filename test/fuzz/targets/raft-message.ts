import { decodeMessage, encodeMessage } from '../../../controller/raft/message-codec.ts';
import { logIndex, term } from '../../../proto/model/offset.ts';
import { voterOf } from '../../scenario/raft/core-cluster.ts';
import { seededRandom } from '../random.ts';
import type { FuzzTarget } from '../target.ts';
import { checkDecoder } from './decoder-promises.ts';
import { sampleMessage } from './sample-messages.ts';

/** What quorum members say to each other. An input is two bytes of length, a header and its payload. */
export const raftMessageTarget: FuzzTarget = {
  name: 'raft-message',
  async seeds() {
    const random = seededRandom(1);
    const name = 'highwater.peer.v1.RaftMessage';
    const samples = Array.from({ length: 60 }, () => joined(sampleMessage(name, random), []));
    return [...samples, ...appends()];
  },
  check(input) {
    checkDecoder(
      {
        decode(bytes) {
          if (bytes.length < 2) return undefined;
          const end = 2 + bytes.readUInt16BE();
          return decodeMessage(bytes.subarray(2, end), bytes.subarray(end));
        },
        encode(message) {
          const { header, payload } = encodeMessage(message);
          return joined(header, payload);
        },
      },
      input,
    );
  },
};

/** Entries with data, behind an ordinary index and behind the last one of all. */
function appends(): Buffer[] {
  const one = term(1);
  return [7, Number.MAX_SAFE_INTEGER].map((index) => {
    const previous = { index: logIndex(index), term: one };
    const data = Buffer.from('a change');
    const { header, payload } = encodeMessage({
      from: voterOf(1).id,
      to: voterOf(2).id,
      term: one,
      body: {
        kind: 'append-request',
        previous,
        entries: [
          { ...previous, body: { kind: 'command', data } },
          { ...previous, body: { kind: 'config', voters: [voterOf(1), voterOf(2)] } },
        ],
        commitIndex: logIndex(3),
        round: 2,
      },
    });
    return joined(header, payload);
  });
}

function joined(header: Uint8Array, payload: readonly Uint8Array[]): Buffer {
  return Buffer.concat([Buffer.of(header.length >> 8, header.length & 0xff), header, ...payload]);
}
