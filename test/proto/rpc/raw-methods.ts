import { HighwaterError } from '../../../proto/model/errors.ts';
import type { RpcCodec, StreamMethod, UnaryMethod } from '../../../proto/ports/rpc.ts';

/** Raw bytes, framed from two parts so that ropes are exercised; the byte 0xff is malformed. */
const rawCodec: RpcCodec<Buffer> = {
  encode: (message) => [message.subarray(0, 3), message.subarray(3)],
  decode(bytes) {
    if (bytes[0] === 0xff) throw new HighwaterError('INVALID_REQUEST', 'it starts with 0xff');
    return bytes;
  },
};

export const echo: UnaryMethod<Buffer, Buffer> = {
  kind: 'unary',
  path: '/test.v1.Raw/Echo',
  request: rawCodec,
  response: rawCodec,
};

export const chat: StreamMethod<Buffer, Buffer> = {
  kind: 'stream',
  path: '/test.v1.Raw/Chat',
  request: rawCodec,
  response: rawCodec,
};

export const unknownMethod: UnaryMethod<Buffer, Buffer> = { ...echo, path: '/test.v1.Raw/Nothing' };
