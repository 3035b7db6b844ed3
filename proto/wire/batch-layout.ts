/**
 * The record batch, Kafka's format v2 (magic 2), byte for byte. All integers are big-endian.
 *
 * | at | bytes | field           | notes                                                        |
 * |---:|------:|-----------------|--------------------------------------------------------------|
 * |  0 |     8 | baseOffset      | written by the leader; outside the checksum                  |
 * |  8 |     4 | batchLength     | bytes that follow this field: 49 or more                     |
 * | 12 |     4 | leaderEpoch     | written by the leader; outside the checksum; -1 from clients |
 * | 16 |     1 | magic           | 2                                                            |
 * | 17 |     4 | crc             | CRC-32C of everything from `attributes` to the end           |
 * | 21 |     2 | attributes      | 0–2 codec, 3 log append time, 4 transactional, 5 control,    |
 * |    |       |                 | 6 delete horizon, 7–15 zero                                  |
 * | 23 |     4 | lastOffsetDelta | offset of the last record less baseOffset                    |
 * | 27 |     8 | baseTimestamp   | milliseconds of the first record                             |
 * | 35 |     8 | maxTimestamp    | the greatest timestamp of the records                        |
 * | 43 |     8 | producerId      | -1: not idempotent                                           |
 * | 51 |     2 | producerEpoch   |                                                              |
 * | 53 |     4 | baseSequence    |                                                              |
 * | 57 |     4 | recordCount     |                                                              |
 * | 61 |       | records         | back to back; compressed as a whole if a codec is named      |
 *
 * A record, every length a zigzag varint:
 *
 * | field          | form     | notes                                                      |
 * |----------------|----------|------------------------------------------------------------|
 * | length         | varint   | bytes that follow this field                               |
 * | attributes     | 1 byte   | unused, 0                                                  |
 * | timestampDelta | varlong  | to baseTimestamp, may be negative                          |
 * | offsetDelta    | varint   | to baseOffset                                              |
 * | key            | varint n | n bytes; -1: null                                          |
 * | value          | varint n | n bytes; -1: null                                          |
 * | headers        | varint n | n times: key (varint n, n bytes UTF-8, never null) and     |
 * |                |          | value (varint n, n bytes; -1: null)                        |
 */
export const layout = {
  baseOffset: 0,
  batchLength: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
  records: 61,
} as const;

/** Bytes of a batch without its records. */
export const batchHeaderBytes = layout.records;

/** Bytes of a batch that `batchLength` does not count: itself and what stands before it. */
export const batchPrefixBytes = layout.leaderEpoch;

/** The one format that is read and written. */
export const batchMagic = 2;

/** Bits of the attributes. */
export const attributeBits = {
  codec: 0b111,
  logAppendTime: 1 << 3,
  transactional: 1 << 4,
  control: 1 << 5,
  deleteHorizon: 1 << 6,
} as const;

/** The least record: attributes, two deltas, null key, null value and no headers, after its length. */
export const recordBytesMin = 7;
