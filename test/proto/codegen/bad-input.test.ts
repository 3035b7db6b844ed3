/** Rows F11 to F13 of the bad-input table, at every generated decoder's root: the shared ways of reading. */
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { CreateTopicRequest } from '../../../proto/generated/highwater/v1/admin.ts';
import { Failure } from '../../../proto/generated/highwater/v1/common.ts';
import { PlainRecord, ProduceRequest } from '../../../proto/generated/highwater/v1/produce.ts';
import { limits } from '../../../proto/model/limits.ts';

/** Tags of the fields used here: number × 8 + wire type. */
const tag = { requestId: 8, partitions: 34, records: 42 };

const refusal = { name: 'HighwaterError', code: 'INVALID_REQUEST', outcome: 'not-written' };

function caughtFrom(decode: () => unknown): unknown {
  try {
    decode();
  } catch (caught) {
    return caught;
  }
  return 'nothing was thrown';
}

/** A field of a group of the given depth, which no schema of ours has. */
function groups(depth: number): Buffer {
  const [start, end] = [Buffer.of(0x9b, 0x06), Buffer.of(0x9c, 0x06)];
  return Buffer.concat([start, end].flatMap((one) => Array.from({ length: depth }, () => one)));
}

/** A field of the given tag that holds the content. */
function field(tagNumber: number, content: Uint8Array): Buffer {
  const head = protobuf.Writer.create().uint32(tagNumber).uint32(content.length).finish();
  return Buffer.concat([head, content]);
}

describe('a message from outside', () => {
  it.each<[string, number[]]>([
    ['of wire type 7, of a known field', [0x0f]],
    ['of wire type 7, of an unknown one', [0x9f, 0x06]],
    ['of field 0', [0x02, 0x01, 0x00]],
    ['of field 0 as a number', [0x00, 0x00]],
    ['with a tag of six bytes', [0x88, 0x80, 0x80, 0x80, 0x80, 0x00, 0x01]],
    ['with a number of eleven bytes', [8, ...Array.from({ length: 10 }, () => 0xff), 0x01]],
    ['with a group that does not end', [0x9b, 0x06, 0x08, 0x01]],
    ['with a group that another field ends', [0x9b, 0x06, 0xa4, 0x06]],
    ['with the end of a group that never began', [0x9c, 0x06]],
    ['with a length of -1', [0x22, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]],
    ['with a length of 2^31 - 1', [0x22, 0xff, 0xff, 0xff, 0xff, 0x07]],
    ['with a field that passes the end of its message', [0x22, 0x02, 0x0a, 0x05, 0, 0, 0, 0, 0]],
  ])('%s is INVALID_REQUEST (F11)', (_what, bytes) => {
    expect(caughtFrom(() => ProduceRequest.decode(Buffer.from(bytes)))).toMatchObject(refusal);
  });

  it('whose field has another wire type than the schema says is read without it (F11)', () => {
    const asText = Buffer.concat([field(10, Buffer.from('text')), Buffer.of(tag.requestId, 5)]);
    expect(ProduceRequest.decode(asText).requestId).toBe(5);
  });

  it('with a map entry that passes its own end is INVALID_REQUEST (F11)', () => {
    const entry = Buffer.of(34, 3, 10, 5, 1, 1, 1, 1, 1);
    expect(caughtFrom(() => Failure.decode(entry))).toMatchObject(refusal);
  });

  it('is skipped where it is unknown down to 100 groups and refused below (F12)', () => {
    expect(PlainRecord.decode(groups(100)).headers).toEqual([]);
    for (const depth of [102, 10_000, 200_000]) {
      expect(caughtFrom(() => PlainRecord.decode(groups(depth)))).toMatchObject(refusal);
    }
  });

  it('with more elements than a list may have is refused before they are made (F13)', () => {
    const write = field(tag.partitions, Buffer.alloc(0));
    const many = Buffer.concat(Array.from({ length: limits.repeatedElementsMax + 1 }, () => write));
    expect(ProduceRequest.decode(many.subarray(write.length)).partitions).toHaveLength(
      limits.repeatedElementsMax,
    );
    expect(caughtFrom(() => ProduceRequest.decode(many))).toMatchObject(refusal);
  });

  it('with a packed list of millions of numbers is refused at the bound of a list (F13)', () => {
    const assignment = field(50, field(10, Buffer.alloc(4 * 1024 * 1024, 1)));
    expect(caughtFrom(() => CreateTopicRequest.decode(assignment))).toMatchObject(refusal);
  });

  it('with lists of lists is refused once it holds too many messages in all (F13)', () => {
    const record = field(tag.records, Buffer.alloc(0));
    const list = Buffer.concat(Array.from({ length: 19_000 }, () => record));
    const partition = field(tag.partitions, list);
    const fits = Math.floor(limits.nestedMessagesMax / 19_001);
    const some = Buffer.concat(Array.from({ length: fits }, () => partition));
    expect(ProduceRequest.decode(some).partitions).toHaveLength(fits);
    const before = process.memoryUsage().heapUsed;
    const huge = Buffer.concat(Array.from({ length: 400 }, () => partition));
    expect(caughtFrom(() => ProduceRequest.decode(huge))).toMatchObject(refusal);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(200 * 1024 * 1024);
  });
});
