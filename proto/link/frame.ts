/**
 * The frames that follow the hello on a link, in both directions. All numbers are big-endian.
 *
 * | offset | bytes | field                                       |
 * |-------:|------:|---------------------------------------------|
 * |      0 |     1 | type                                        |
 * |      1 |     3 | header length *h*, at most 1 MiB            |
 * |      4 |     4 | stream id, 0 for the link itself            |
 * |      8 |     4 | payload length *p*, at most 16 MiB          |
 * |     12 |   *h* | header: a small encoded message             |
 * | 12+*h* |   *p* | payload: raw bytes, only in data frames     |
 *
 * | type | name      | stream | header                                                        |
 * |-----:|-----------|--------|---------------------------------------------------------------|
 * |    1 | open      | id     | 1 byte: kind, counted from 1 in the order of linkStreamKinds  |
 * |    2 | data      | id     | the user's                                                    |
 * |    3 | credit    | 0      | up to 64 pairs of 4-byte stream id and 4-byte number of bytes |
 * |    4 | close     | id     | 1 byte: 1 closed, 2 no such service here, 3 not for this peer |
 * |    5 | heartbeat | 0      | none                                                          |
 *
 * Only the side that dialled opens streams. Ids count up from 1 and are never used again on a link,
 * so a frame of a stream that this side has closed is told from one that never existed.
 */
import { limits } from '../model/limits.ts';
import { type LinkStreamKind, linkStreamKinds } from '../ports/link.ts';

export const frameHeadBytes = 12;

export const frameType = { open: 1, data: 2, credit: 3, close: 4, heartbeat: 5 } as const;

/** The reasons that a close frame can give. */
export type StreamCloseCode = 'closed' | 'refused' | 'mismatch';
const closeCodes: readonly StreamCloseCode[] = ['closed', 'refused', 'mismatch'];

/** Bytes that a stream may send in addition to what it could before. */
export interface CreditGrant {
  readonly streamId: number;
  readonly bytes: number;
}

/** The fixed part and the header of a frame; the payload follows it on the wire as it is. */
export function encodeFrameHead(
  type: number,
  streamId: number,
  header: Uint8Array,
  payloadBytes: number,
): Buffer {
  const bytes = Buffer.allocUnsafe(frameHeadBytes + header.length);
  bytes.writeUInt32BE(type * 0x1000000 + header.length, 0);
  bytes.writeUInt32BE(streamId, 4);
  bytes.writeUInt32BE(payloadBytes, 8);
  bytes.set(header, frameHeadBytes);
  return bytes;
}

export function encodeOpen(streamId: number, kind: LinkStreamKind): Buffer {
  const header = Uint8Array.of(linkStreamKinds.indexOf(kind) + 1);
  return encodeFrameHead(frameType.open, streamId, header, 0);
}

/** The kind that an open frame names, or undefined if it is malformed. */
export function readOpen(header: Buffer): LinkStreamKind | undefined {
  return header.length === 1 ? linkStreamKinds[header.readUInt8(0) - 1] : undefined;
}

export function encodeClose(streamId: number, code: StreamCloseCode): Buffer {
  const header = Uint8Array.of(closeCodes.indexOf(code) + 1);
  return encodeFrameHead(frameType.close, streamId, header, 0);
}

export function readClose(header: Buffer): StreamCloseCode | undefined {
  return header.length === 1 ? closeCodes[header.readUInt8(0) - 1] : undefined;
}

/** One frame for all grants of a turn. */
export function encodeCredit(grants: readonly CreditGrant[]): Buffer {
  const header = Buffer.allocUnsafe(grants.length * 8);
  let at = 0;
  for (const grant of grants) {
    header.writeUInt32BE(grant.streamId, at);
    header.writeUInt32BE(grant.bytes, at + 4);
    at += 8;
  }
  return encodeFrameHead(frameType.credit, 0, header, 0);
}

export function readCredit(header: Buffer): readonly CreditGrant[] | undefined {
  const count = header.length / 8;
  if (!Number.isInteger(count) || count > limits.linkStreamsMax) return undefined;
  const grants: CreditGrant[] = [];
  for (let at = 0; at < header.length; at += 8) {
    grants.push({ streamId: header.readUInt32BE(at), bytes: header.readUInt32BE(at + 4) });
  }
  return grants;
}

export const heartbeatFrame: Buffer = encodeFrameHead(frameType.heartbeat, 0, new Uint8Array(0), 0);
