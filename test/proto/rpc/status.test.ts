import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ErrorCode, errorTable, HighwaterError } from '../../../proto/model/errors.ts';
import { decodeErrorDetails } from '../../../proto/rpc/error-details.ts';
import { errorOf, statusOf } from '../../../proto/rpc/status.ts';

const codes = Object.keys(errorTable) as ErrorCode[];

describe('the status of an error', () => {
  it('keeps code, message, facts and outcome of every error', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...codes),
        fc.string({ maxLength: 100 }),
        fc.dictionary(
          fc
            .string({ minLength: 1, maxLength: 10 })
            .filter((key) => key !== 'outcome' && key !== '__proto__'),
          fc.string({ maxLength: 20 }),
          { maxKeys: 5 },
        ),
        fc.constantFrom('not-written' as const, 'maybe-written' as const),
        (code, message, facts, outcome) => {
          const error = new HighwaterError(code, message, { facts, outcome });
          const received = errorOf(statusOf(error), true);
          expect([received.code, received.message, received.outcome]).toEqual([
            code,
            message,
            outcome,
          ]);
          expect({ ...received.facts }).toEqual({ ...error.facts });
        },
      ),
    );
  });

  it('maps a status without details by its number, and by whether anything was sent', () => {
    const cases: [number, ErrorCode][] = [
      [1, 'CANCELLED'],
      [2, 'INTERNAL'],
      [4, 'DEADLINE_EXCEEDED'],
      [8, 'OVERLOADED'],
      [12, 'UNSUPPORTED_VERSION'],
      [14, 'CONNECTION_LOST'],
      [99, 'INTERNAL'],
    ];
    for (const [code, expected] of cases) {
      expect(errorOf({ code, message: '' }, true).code).toBe(expected);
      expect(errorOf({ code, message: '' }, false).outcome).toBe('not-written');
    }
    expect(errorOf({ code: 14, message: '' }, true).outcome).toBe('maybe-written');
    expect(errorOf({ code: 8, message: '' }, true).outcome).toBe('maybe-written');
  });

  it('reads details that are damaged as no details, never as an exception', () => {
    const whole = statusOf(new HighwaterError('NOT_LEADER', 'm', { facts: { leader: 3 } })).details;
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 60 }),
        fc.nat(whole?.length ?? 0),
        (garbage, length) => {
          decodeErrorDetails(garbage);
          decodeErrorDetails(Buffer.concat([whole?.subarray(0, length) ?? garbage, garbage]));
          const error = errorOf({ code: 9, message: 'm', details: Buffer.from(garbage) }, true);
          expect(error).toBeInstanceOf(HighwaterError);
        },
      ),
    );
  });
});
