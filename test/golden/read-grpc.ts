/** Reads the calls that clients made with the codecs of today, and writes them again. */
import { adminService } from '../../proto/generated/highwater/v1/admin.ts';
import { fetchService } from '../../proto/generated/highwater/v1/fetch.ts';
import { groupService } from '../../proto/generated/highwater/v1/group.ts';
import { metadataService } from '../../proto/generated/highwater/v1/metadata.ts';
import { produceService } from '../../proto/generated/highwater/v1/produce.ts';
import { decodeErrorDetails } from '../../proto/rpc/error-details.ts';
import type { KeptCall } from './capture-grpc.ts';

/** Every method of the public surface, by path. */
const publicMethods = new Map<string, PublicMethod>(
  [adminService, fetchService, groupService, metadataService, produceService]
    .flatMap((service) => Object.values<PublicMethod>(service))
    .map((method) => [method.path, method]),
);

interface PublicMethod {
  readonly path: string;
  readonly request: AnyCodec;
  readonly response: AnyCodec;
}

interface AnyCodec {
  decode(bytes: Buffer): unknown;
  encode(message: never): readonly Uint8Array[];
}

/** What one call was: how many messages each way, and the code of the error that it ended with. */
interface ReadCall {
  readonly path: string;
  readonly requests: number;
  readonly responses: number;
  readonly code: string | undefined;
}

/** Throws on a message that means something else today than the bytes that it came as. */
export function readCall({ path, there, back, trailers }: KeptCall): ReadCall {
  const method = publicMethods.get(path);
  if (method === undefined) throw new Error(`${path} is not known`);
  const details = trailers['grpc-status-details-bin'];
  return {
    path,
    requests: sameAgain(path, framesOf(there), method.request),
    responses: sameAgain(path, framesOf(back), method.response),
    code:
      details === undefined
        ? undefined
        : decodeErrorDetails(Buffer.from(details, 'base64'))?.reason,
  };
}

function sameAgain(path: string, messages: readonly Buffer[], codec: AnyCodec): number {
  for (const message of messages) {
    const again = Buffer.concat(codec.encode(codec.decode(message) as never));
    if (!again.equals(message))
      throw new Error(`${path}: ${message.toString('hex')} has become ${again.toString('hex')}`);
  }
  return messages.length;
}

/** gRPC's framing: a byte that says whether it is compressed, four of length, the message. */
function framesOf(base64: string): Buffer[] {
  const bytes = Buffer.from(base64, 'base64');
  const messages: Buffer[] = [];
  // A call that was cut ends in the middle of a message.
  for (let at = 0; at + 5 <= bytes.length; ) {
    const end = at + 5 + bytes.readUInt32BE(at + 1);
    if (bytes[at] !== 0) throw new Error('a compressed message');
    if (end > bytes.length) break;
    messages.push(bytes.subarray(at + 5, end));
    at = end;
  }
  return messages;
}
