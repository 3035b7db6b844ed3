/**
 * The first bytes of each side on a link: a preface whose layout never changes, then the hello.
 * All numbers are big-endian.
 *
 * | offset | bytes | field                                                        |
 * |-------:|------:|--------------------------------------------------------------|
 * |      0 |     4 | magic, `HWPL` in ASCII                                       |
 * |      4 |     2 | wire version, 1                                              |
 * |      6 |     2 | bytes of the hello that follow, 76 to 1024                   |
 * |      8 |    16 | cluster id (UUID); all zero: the node has no cluster yet     |
 * |     24 |    16 | storage id (UUID)                                            |
 * |     40 |    16 | incarnation id (UUID)                                        |
 * |     56 |     8 | node id of the speaker                                       |
 * |     64 |     8 | node id that the hello is meant for                          |
 * |     72 |     4 | lowest feature level spoken                                  |
 * |     76 |     4 | highest feature level spoken                                 |
 * |     80 |     4 | credit that each stream to the speaker begins with, in bytes |
 *
 * A later version may append fields: a reader takes what it knows and skips the rest.
 * The dialling side speaks first. The other side answers with its own hello even if it does not want
 * the peer, so that both find the mismatch and say the same in their logs.
 */
import { clusterId, incarnationId, type NodeId, nodeId, storageId } from '../model/ids.ts';
import type { PeerIdentity } from '../ports/link.ts';

const wireVersion = 1;
const magic = Buffer.from('HWPL', 'latin1');
const prefaceBytes = 8;
const helloBytes = 76;
const helloBytesMax = 1024;

/** The cluster id of a node that has not joined or formed a cluster. */
export const noCluster = clusterId('00000000-0000-0000-0000-000000000000');

export interface Hello {
  readonly identity: PeerIdentity;
  readonly meantFor: NodeId;
  readonly streamCreditBytes: number;
}

/** What the bytes so far amount to. `used` bytes belong to the hello, the rest are frames. */
export type HelloReading =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'not-a-link' }
  | { readonly kind: 'other-version'; readonly version: number }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'hello'; readonly hello: Hello; readonly used: number };

/** Why a well-formed hello is not taken, as a sentence part for the log. */
export type HelloMismatch = 'another cluster' | 'another node' | 'no common feature level';

/** Preface and hello as one buffer. */
export function encodeHello(hello: Hello): Buffer {
  const { identity } = hello;
  const bytes = Buffer.alloc(prefaceBytes + helloBytes);
  magic.copy(bytes, 0);
  bytes.writeUInt16BE(wireVersion, 4);
  bytes.writeUInt16BE(helloBytes, 6);
  writeUuid(bytes, identity.clusterId, 8);
  writeUuid(bytes, identity.storageId, 24);
  writeUuid(bytes, identity.incarnationId, 40);
  bytes.writeBigUInt64BE(BigInt(identity.nodeId), 56);
  bytes.writeBigUInt64BE(BigInt(hello.meantFor), 64);
  bytes.writeUInt32BE(identity.featureMin, 72);
  bytes.writeUInt32BE(identity.featureMax, 76);
  bytes.writeUInt32BE(hello.streamCreditBytes, 80);
  return bytes;
}

/** Reads a hello from the start of all bytes received so far. A wrong first byte is told at once. */
export function readHello(bytes: Buffer): HelloReading {
  const seen = Math.min(bytes.length, magic.length);
  if (!bytes.subarray(0, seen).equals(magic.subarray(0, seen))) return { kind: 'not-a-link' };
  if (bytes.length < prefaceBytes) return { kind: 'incomplete' };
  const version = bytes.readUInt16BE(4);
  if (version !== wireVersion) return { kind: 'other-version', version };
  const length = bytes.readUInt16BE(6);
  if (length < helloBytes || length > helloBytesMax) return { kind: 'malformed' };
  if (bytes.length < prefaceBytes + length) return { kind: 'incomplete' };
  return decodeBody(bytes, prefaceBytes + length);
}

function decodeBody(bytes: Buffer, used: number): HelloReading {
  const speaker = bytes.readBigUInt64BE(56);
  const meantFor = bytes.readBigUInt64BE(64);
  const featureMin = bytes.readUInt32BE(72);
  const featureMax = bytes.readUInt32BE(76);
  const streamCreditBytes = bytes.readUInt32BE(80);
  if (!isNodeId(speaker) || !isNodeId(meantFor)) return { kind: 'malformed' };
  if (featureMin > featureMax || streamCreditBytes === 0) return { kind: 'malformed' };
  const identity: PeerIdentity = {
    clusterId: clusterId(readUuid(bytes, 8)),
    nodeId: nodeId(Number(speaker)),
    storageId: storageId(readUuid(bytes, 24)),
    incarnationId: incarnationId(readUuid(bytes, 40)),
    featureMin,
    featureMax,
  };
  const hello = { identity, meantFor: nodeId(Number(meantFor)), streamCreditBytes };
  return { kind: 'hello', hello, used };
}

/**
 * Whether the speaker of a hello may be a peer. `expected` is the node that was dialled. A node
 * without a cluster passes: it must be able to join one, and only control streams are open to it.
 */
export function findMismatch(
  own: PeerIdentity,
  hello: Hello,
  expected: NodeId | undefined,
): HelloMismatch | undefined {
  const { identity } = hello;
  const clusters = [own.clusterId, identity.clusterId];
  if (own.clusterId !== identity.clusterId && !clusters.includes(noCluster)) {
    return 'another cluster';
  }
  if (hello.meantFor !== own.nodeId) return 'another node';
  if (expected !== undefined && identity.nodeId !== expected) return 'another node';
  if (identity.featureMin > own.featureMax || identity.featureMax < own.featureMin) {
    return 'no common feature level';
  }
  return undefined;
}

function isNodeId(value: bigint): boolean {
  return value >= 1n && value <= BigInt(Number.MAX_SAFE_INTEGER);
}

function writeUuid(target: Buffer, uuid: string, at: number): void {
  target.write(uuid.replaceAll('-', ''), at, 16, 'hex');
}

function readUuid(bytes: Buffer, at: number): string {
  const hex = bytes.toString('hex', at, at + 16);
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20)];
  return [...parts, hex.slice(20)].join('-');
}
