import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { generate } from '../../../proto/codegen/generate.ts';
import { Failure } from '../../../proto/generated/highwater/v1/common.ts';
import { FetchResponse } from '../../../proto/generated/highwater/v1/fetch.ts';
import {
  PartitionOutcome,
  PlainRecord,
  ProduceRequest,
} from '../../../proto/generated/highwater/v1/produce.ts';
import { topicId } from '../../../proto/model/ids.ts';

const proto = fileURLToPath(new URL('../../../proto', import.meta.url));

function joined(parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat(parts);
}

/** The same schema read by protobufjs itself: the oracle. */
function oracle(name: string): protobuf.Type {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => join(proto, 'schema', target);
  root.loadSync(['highwater/v1/produce.proto', 'highwater/v1/fetch.proto']);
  return root.lookupType(name);
}

describe('generated code', () => {
  it('is what the schema says', () => {
    for (const [module, text] of generate(join(proto, 'schema'))) {
      const committed = readFileSync(join(proto, 'generated', module), 'utf8');
      expect(committed, `${module} is stale: run npm run proto`).toBe(text);
    }
  });

  it('reads what protobufjs writes and writes what protobufjs reads', () => {
    const type = oracle('highwater.v1.ProduceRequest');
    const bytes = fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array));
    const record = fc.record({
      key: fc.option(bytes, { nil: undefined }),
      value: fc.option(bytes, { nil: undefined }),
      headers: fc.array(
        fc.record({ key: fc.string(), value: fc.option(bytes, { nil: undefined }) }),
      ),
      timestamp: fc.option(fc.maxSafeInteger(), { nil: undefined }),
    });
    fc.assert(
      fc.property(
        fc.maxSafeNat(),
        fc.constantFrom(
          'unspecified' as const,
          'none' as const,
          'semi-sync' as const,
          'all' as const,
        ),
        fc.array(record),
        bytes,
        (requestId, acks, records, batch) => {
          const message = ProduceRequest.decode(
            joined(
              ProduceRequest.encode({
                requestId,
                acks,
                timeoutMs: 7,
                partitions: [
                  {
                    topicId: topicId('00000000-0000-4000-8000-000000000001'),
                    topic: '',
                    partition: 0 as never,
                    batchBytes: batch.length,
                    records,
                  },
                ],
                batches: [batch.subarray(0, 3), batch.subarray(3)],
              }),
            ),
          );
          const theirs = joined(ProduceRequest.encode(message));
          const again = ProduceRequest.decode(
            Buffer.from(type.encode(type.decode(theirs)).finish()),
          );
          expect(again).toEqual(message);
          expect(message.requestId).toBe(requestId);
          expect(message.acks).toBe(acks);
          expect(message.partitions[0]?.records).toEqual(records);
          expect(Buffer.concat(message.batches)).toEqual(batch);
        },
      ),
    );
  });

  it('frames a payload from the very buffers it was given', () => {
    const payload = Buffer.alloc(100_000, 7);
    const parts = FetchResponse.encode({ partitions: [], batches: [payload] });
    expect(parts[1]).toBe(payload);
  });

  it('tells the variants of a union apart', () => {
    const failure = {
      code: 'NOT_LEADER',
      message: 'm',
      maybeWritten: false,
      facts: new Map([['a', 'b']]),
    };
    const outcome: PartitionOutcome = {
      topicId: topicId('00000000-0000-4000-8000-000000000001'),
      partition: 3 as never,
      outcome: { kind: 'failure', value: failure },
    };
    expect(PartitionOutcome.decode(joined(PartitionOutcome.encode(outcome)))).toEqual(outcome);
  });

  it('refuses a 64-bit number that a double cannot hold', () => {
    const tooGreat = Buffer.from([0x20, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]);
    expect(() => PlainRecord.decode(tooGreat)).toThrow('2^53');
  });

  it('refuses every truncation, or reads fewer fields, and never anything else', () => {
    const facts = new Map([['key', 'value']]);
    const whole = joined(
      Failure.encode({ code: 'INTERNAL', message: 'text', maybeWritten: true, facts }),
    );
    for (let length = 0; length < whole.length; length++) {
      const part = whole.subarray(0, length);
      try {
        Failure.decode(part);
      } catch (error) {
        expect(error).toMatchObject({ code: 'INVALID_REQUEST' });
      }
    }
  });

  it('refuses garbage with INVALID_REQUEST and nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (garbage) => {
        for (const codec of [ProduceRequest, FetchResponse, Failure]) {
          try {
            codec.decode(garbage);
          } catch (error) {
            expect(error).toMatchObject({ name: 'HighwaterError', code: 'INVALID_REQUEST' });
          }
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses a list past its bound before it is built', () => {
    const element = Buffer.from([0x22, 0x00]);
    const many = Buffer.concat(Array.from({ length: 20_001 }, () => element));
    expect(() => ProduceRequest.decode(many)).toThrow('at most 20000 elements');
  });
});
