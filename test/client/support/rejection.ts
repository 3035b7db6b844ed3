import { expect } from 'vitest';
import { HighwaterError } from '../../../proto/model/errors.ts';

/** What a promise that must fail is rejected with. */
export function rejection(promise: Promise<unknown>): Promise<HighwaterError> {
  return promise.then(
    () => expect.unreachable('it must fail'),
    (error: unknown) => HighwaterError.from(error),
  );
}
