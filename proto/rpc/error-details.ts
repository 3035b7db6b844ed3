/**
 * The bytes of `grpc-status-details-bin`: a google.rpc.Status with one google.rpc.ErrorInfo, so that
 * a client in any language reads the code of an error without matching text.
 *
 * | message | field | meaning |
 * |---|---|---|
 * | Status | 1 code, 2 message, 3 details (repeated Any) | as google/rpc/status.proto |
 * | Any | 1 type_url, 2 value | google.protobuf.Any |
 * | ErrorInfo | 1 reason, 2 domain, 3 metadata (map) | reason is the code of the error table |
 *
 * Decoding takes bytes from outside: anything malformed reads as "no details".
 */
import protobuf from 'protobufjs/minimal.js';

const { Reader, Writer } = protobuf;

/** One google.rpc.ErrorInfo. */
export interface ErrorInfo {
  readonly reason: string;
  readonly domain: string;
  readonly metadata: ReadonlyMap<string, string>;
}

const errorInfoUrl = 'type.googleapis.com/google.rpc.ErrorInfo';
/** More entries than this in one error are dropped: a hostile peer must not fill the memory. */
const metadataEntriesMax = 64;

/** Encodes a status with its ErrorInfo. */
export function encodeErrorDetails(code: number, message: string, info: ErrorInfo): Buffer {
  const body = Writer.create();
  body.uint32(10).string(info.reason).uint32(18).string(info.domain);
  for (const [key, value] of info.metadata) {
    body.uint32(26).fork().uint32(10).string(key).uint32(18).string(value).ldelim();
  }
  const status = Writer.create();
  status.uint32(8).int32(code).uint32(18).string(message);
  status.uint32(26).fork();
  status.uint32(10).string(errorInfoUrl).uint32(18).bytes(body.finish()).ldelim();
  return Buffer.from(status.finish());
}

/** The first ErrorInfo of the details, if there is one. */
export function decodeErrorDetails(bytes: Uint8Array): ErrorInfo | undefined {
  try {
    return findErrorInfo(bytes);
  } catch {
    return undefined; // Malformed bytes of a peer say no more than absent ones.
  }
}

function findErrorInfo(bytes: Uint8Array): ErrorInfo | undefined {
  const reader = Reader.create(bytes);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag !== 26) {
      reader.skipType(tag & 7);
      continue;
    }
    const any = readPair(reader.bytes());
    if (any.first.toString('utf8') === errorInfoUrl) return readErrorInfo(any.second);
  }
  return undefined;
}

function readErrorInfo(bytes: Uint8Array): ErrorInfo {
  const reader = Reader.create(bytes);
  const metadata = new Map<string, string>();
  let reason = '';
  let domain = '';
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === 10) reason = reader.string();
    else if (tag === 18) domain = reader.string();
    else if (tag === 26 && metadata.size < metadataEntriesMax) {
      const entry = readPair(reader.bytes());
      metadata.set(entry.first.toString('utf8'), entry.second.toString('utf8'));
    } else reader.skipType(tag & 7);
  }
  return { reason, domain, metadata };
}

/** A message of two length-delimited fields 1 and 2: both Any and a map entry. */
function readPair(bytes: Uint8Array): { readonly first: Buffer; readonly second: Buffer } {
  const reader = Reader.create(bytes);
  let first = Buffer.alloc(0);
  let second = Buffer.alloc(0);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === 10) first = Buffer.from(reader.bytes());
    else if (tag === 18) second = Buffer.from(reader.bytes());
    else reader.skipType(tag & 7);
  }
  return { first, second };
}
