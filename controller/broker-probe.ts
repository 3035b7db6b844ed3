/**
 * Asks a broker whose connection broke whether its process is still there. A closed connection alone
 * says little; an address that refuses, or answers as another incarnation, says that it is gone, well
 * before its session ends (rule 6.8). A process that hangs does not answer the hello, and its session
 * is left to decide.
 */
import type { IncarnationId } from '../proto/model/ids.ts';
import type { LinkEndpoint, PeerAddress } from '../proto/ports/link.ts';

/** `there`: that very incarnation answered. `gone`: it cannot be. `unknown`: nothing was learned. */
export type ProbeResult = 'there' | 'gone' | 'unknown';

/** Dials once; the result comes once. */
export function probeBroker(
  endpoint: LinkEndpoint,
  address: PeerAddress,
  incarnation: IncarnationId,
): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const stream = endpoint.open(address, 'control', {
      onOpen: (peer) => {
        resolve(peer.incarnationId === incarnation ? 'there' : 'gone');
        stream.close();
      },
      onFrame: () => undefined,
      onClose: (reason) => resolve(reason === 'refused' ? 'gone' : 'unknown'),
    });
  });
}
