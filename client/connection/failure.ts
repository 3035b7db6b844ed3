/** From a failed part of an answer to the error that a caller gets. */
import type { Failure } from '../../proto/generated/highwater/v1/common.ts';
import { HighwaterError, isErrorCode } from '../../proto/model/errors.ts';

/** A code of a later version is told as INTERNAL, with its name in the facts. */
export function errorOfFailure(failure: Failure): HighwaterError {
  const outcome = failure.maybeWritten ? 'maybe-written' : 'not-written';
  const facts = Object.fromEntries(failure.facts);
  if (isErrorCode(failure.code))
    return new HighwaterError(failure.code, failure.message, { facts, outcome });
  return new HighwaterError('INTERNAL', failure.message, {
    facts: { ...facts, code: failure.code },
    outcome,
  });
}
