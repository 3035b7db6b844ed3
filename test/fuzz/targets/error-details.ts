import {
  decodeErrorDetails,
  type ErrorInfo,
  encodeErrorDetails,
} from '../../../proto/rpc/error-details.ts';
import type { FuzzTarget } from '../target.ts';
import { checkDecoder } from './decoder-promises.ts';

const encode = (info: ErrorInfo): Buffer => encodeErrorDetails(9, 'a text', info);

/** The trailer that carries an error: a peer may send anything there. */
export const errorDetailsTarget: FuzzTarget = {
  name: 'error-details',
  async seeds() {
    const info = { reason: 'NOT_LEADER', domain: 'highwater' };
    const many = Array.from({ length: 70 }, (_, index) => [`fact${index}`, 'v'] as const);
    return [
      encode({ ...info, metadata: new Map([['leader', '3']]) }),
      encode({ ...info, metadata: new Map() }),
      encode({ ...info, metadata: new Map(many) }),
    ];
  },
  check: (input) => checkDecoder({ decode: decodeErrorDetails, encode }, input),
};
