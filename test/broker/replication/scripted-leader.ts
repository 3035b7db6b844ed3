/** A leader at the other end of the only link: the test says what it answers to each opening of a stream. */
import {
  FollowerFrame,
  LeaderFrame,
} from '../../../proto/generated/highwater/peer/v1/replication.ts';
import type { LinkEndpoint, LinkStreamHandlers } from '../../../proto/ports/link.ts';
import { noPeers } from '../../support/no-peers.ts';

export type Opening = FollowerFrame['open'][number];
export type SendFrame = (frame: Partial<LeaderFrame>, payload?: Buffer) => void;

export function scriptedLeader(onOpening: (open: Opening, send: SendFrame) => void): LinkEndpoint {
  let handlers: LinkStreamHandlers | undefined;
  const send: SendFrame = (frame, payload = Buffer.alloc(0)) => {
    const header = LeaderFrame.encode({ opened: [], batches: [], watermarks: [], ...frame });
    handlers?.onFrame(Buffer.concat(header), payload);
  };
  return {
    ...noPeers,
    open(_, __, own) {
      handlers = own;
      return {
        send(header) {
          for (const open of FollowerFrame.decode(Buffer.from(header)).open) onOpening(open, send);
          return true;
        },
        consumed() {},
        close() {},
      };
    },
  };
}
