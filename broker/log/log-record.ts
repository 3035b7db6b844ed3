/**
 * The checkpoint of one log in the `meta` store: everything that is known without opening a file.
 *
 * | bytes | field |
 * |---|---|
 * | 1 | version, 1 |
 * | 1 | flags: 1 flush=os, 2 truncation under way, 4 damaged |
 * | 8 × 9 | log start, watermark, recovery point, its segment's base, its byte position in it, bytes of all segments, largest timestamp of the oldest segment, journal sequence from which entries count, verified epoch |
 * | 8 × 2 | if damaged: offset of the first bad batch, log end before the cut |
 * | 4 | number of epochs, then per epoch 4 epoch and 8 start offset |
 * | 4 | CRC-32C of all before |
 *
 * Numbers are big-endian; 8-byte ones are signed, and -1 means none.
 */

import type { FlushMode } from '../../proto/model/acks.ts';
import { leaderEpoch, type Offset, offset } from '../../proto/model/offset.ts';
import { crc32c } from '../../proto/wire/crc32c.ts';
import { readInt64 } from '../../proto/wire/int64.ts';
import type { EpochHistory, EpochStart } from './core/epoch-history.ts';

/** A place in a log, by offset and by byte. */
export interface LogPlace {
  readonly offset: Offset;
  readonly segmentBase: Offset;
  readonly position: number;
}

/** Bytes that were bad below what had been stored; kept until replication says that it is healed. */
export interface DamageMark {
  readonly at: Offset;
  readonly logEndBefore: Offset;
}

/** What survives every crash about one log. */
export interface LogRecord {
  readonly flushMode: FlushMode;
  readonly logStartOffset: Offset;
  /** A lower bound: the watermark moves on without being stored each time. */
  readonly highWatermark: Offset;
  /** Everything below is flushed. For a log that is not marked active it is also the log end. */
  readonly recoveryPoint: LogPlace;
  /** Set while a truncation to the recovery point has been decided and its files are being cut. */
  readonly isTruncating: boolean;
  readonly bytes: number;
  /** -1 if the oldest segment holds no record. */
  readonly oldestTimestamp: number;
  /** Journal entries with a smaller sequence belong to a past that was cut or deleted. */
  readonly journalFrom: number;
  /** -1 if no epoch has been verified. */
  readonly verifiedEpoch: number;
  readonly epochs: EpochHistory;
  readonly damage: DamageMark | undefined;
}

const flags = { os: 1, truncating: 2, damaged: 4 } as const;
const version = 1;

/** The record of a log that has just been created, with its first offset. */
export function freshRecord(start: Offset, flushMode: FlushMode, journalFrom: number): LogRecord {
  return {
    flushMode,
    logStartOffset: start,
    highWatermark: start,
    recoveryPoint: { offset: start, segmentBase: start, position: 0 },
    isTruncating: false,
    bytes: 0,
    oldestTimestamp: -1,
    journalFrom,
    verifiedEpoch: -1,
    epochs: [],
    damage: undefined,
  };
}

export function encodeLogRecord(record: LogRecord): Buffer {
  const numbers = [
    record.logStartOffset,
    record.highWatermark,
    record.recoveryPoint.offset,
    record.recoveryPoint.segmentBase,
    record.recoveryPoint.position,
    record.bytes,
    record.oldestTimestamp,
    record.journalFrom,
    record.verifiedEpoch,
  ];
  if (record.damage !== undefined) numbers.push(record.damage.at, record.damage.logEndBefore);

  const bytes = Buffer.alloc(2 + 8 * numbers.length + 4 + 12 * record.epochs.length + 4);
  bytes[0] = version;
  bytes[1] =
    (record.flushMode === 'os' ? flags.os : 0) |
    (record.isTruncating ? flags.truncating : 0) |
    (record.damage === undefined ? 0 : flags.damaged);
  let at = 2;
  for (const number of numbers) at = bytes.writeBigInt64BE(BigInt(number), at);
  at = bytes.writeUInt32BE(record.epochs.length, at);
  for (const entry of record.epochs) {
    at = bytes.writeUInt32BE(entry.epoch, at);
    at = bytes.writeBigInt64BE(BigInt(entry.startOffset), at);
  }
  bytes.writeUInt32BE(crc32c(bytes.subarray(0, at)), at);
  return bytes;
}

/**
 * Undefined if the bytes are damaged, or have a good checksum and say what no log can be; a newer
 * version is refused by the directory's own version.
 */
export function decodeLogRecord(bytes: Buffer): LogRecord | undefined {
  if (bytes.length < 6 || bytes[0] !== version) return undefined;
  const end = bytes.length - 4;
  if (crc32c(bytes.subarray(0, end)) !== bytes.readUInt32BE(end)) return undefined;
  if (!isWellFormed(bytes, end)) return undefined;

  const set = bytes[1] ?? 0;
  let at = 2;
  const number = (): number => {
    const value = Number(bytes.readBigInt64BE(at));
    at += 8;
    return value;
  };
  const logStartOffset = offset(number());
  const highWatermark = offset(number());
  const recoveryPoint = {
    offset: offset(number()),
    segmentBase: offset(number()),
    position: number(),
  };
  const [size, oldestTimestamp, journalFrom, verifiedEpoch] = [
    number(),
    number(),
    number(),
    number(),
  ];
  const damage =
    (set & flags.damaged) === 0
      ? undefined
      : { at: offset(number()), logEndBefore: offset(number()) };
  return {
    flushMode: (set & flags.os) === 0 ? 'ack' : 'os',
    logStartOffset,
    highWatermark,
    recoveryPoint,
    isTruncating: (set & flags.truncating) !== 0,
    bytes: size,
    oldestTimestamp,
    journalFrom,
    verifiedEpoch,
    epochs: decodeEpochs(bytes.subarray(at, end)),
    damage,
  };
}

/** Which of the numbers are offsets, by their place; of the others -1 means none. */
const offsetNumbers: readonly number[] = [0, 1, 2, 3, 9, 10];

/** True if the length is what the fields say, and every number is what it may be. */
function isWellFormed(bytes: Buffer, end: number): boolean {
  const count = ((bytes[1] ?? 0) & flags.damaged) === 0 ? 9 : 11;
  const epochsAt = 2 + 8 * count;
  if (end < epochsAt + 4 || end !== epochsAt + 4 + 12 * bytes.readUInt32BE(epochsAt)) return false;
  for (let index = 0; index < count; index++) {
    const number = readInt64(bytes, 2 + 8 * index);
    if (number === undefined || number < (offsetNumbers.includes(index) ? 0 : -1)) return false;
  }
  for (let at = epochsAt + 4; at < end; at += 12) {
    if ((readInt64(bytes, at + 4) ?? -1) < 0) return false;
  }
  return true;
}

function decodeEpochs(bytes: Buffer): EpochHistory {
  const epochs: EpochStart[] = [];
  for (let at = 4; at < bytes.length; at += 12) {
    epochs.push({
      epoch: leaderEpoch(bytes.readUInt32BE(at)),
      startOffset: offset(Number(bytes.readBigInt64BE(at + 4))),
    });
  }
  return epochs;
}
