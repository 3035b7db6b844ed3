import type { Failure } from '../../../proto/generated/highwater/v1/common.ts';
import { HighwaterError } from '../../../proto/model/errors.ts';

/** A failed part of an answer. */
export function failureOf(caught: unknown): Failure {
  const { code, message, outcome, facts } = HighwaterError.from(caught);
  return {
    code,
    message,
    maybeWritten: outcome === 'maybe-written',
    facts: new Map(Object.entries(facts)),
  };
}
