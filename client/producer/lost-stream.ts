/** What the end of a produce stream says of the requests that were on it. */
import { HighwaterError } from '../../proto/model/errors.ts';

/** Ends of a stream that say something of every request on it, and were told before any was taken. */
const refusals: ReadonlySet<string> = new Set([
  'UNAUTHENTICATED',
  'PERMISSION_DENIED',
  'UNKNOWN_SERVICE',
  'UNSUPPORTED_VERSION',
]);

/** A stream that ended for any other reason may have been heard: its requests may be written. */
export function lostWith(reason: HighwaterError | undefined, address: string): HighwaterError {
  if (reason !== undefined && refusals.has(reason.code)) return reason;
  const isUnsent = reason?.code === 'CONNECTION_LOST' && !reason.mayHaveBeenApplied;
  return new HighwaterError(
    'CONNECTION_LOST',
    `${address}: ${reason?.message ?? 'the broker ended the stream'}`,
    { cause: reason, outcome: isUnsent ? 'not-written' : 'maybe-written' },
  );
}
