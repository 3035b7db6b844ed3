/** A failed part of an answer, as it travels. */
import type { Failure } from '../../proto/generated/highwater/v1/common.ts';
import {
  type ErrorCode,
  type ErrorFacts,
  type ErrorOutcome,
  errorTable,
  HighwaterError,
} from '../../proto/model/errors.ts';

/** From a code; the table's meaning is the message unless a better one is known. */
export function failureOf(
  code: ErrorCode,
  more: {
    readonly message?: string;
    readonly facts?: ErrorFacts;
    readonly outcome?: ErrorOutcome;
  } = {},
): Failure {
  const spec = errorTable[code];
  return {
    code,
    message: more.message ?? spec.meaning,
    maybeWritten: (more.outcome ?? spec.outcome) === 'maybe-written',
    facts: new Map(Object.entries(more.facts ?? {}).map(([key, value]) => [key, String(value)])),
  };
}

/** From whatever was caught. */
export function failureFrom(caught: unknown): Failure {
  const { code, message, facts, outcome } = HighwaterError.from(caught);
  return failureOf(code, { message, facts, outcome });
}
