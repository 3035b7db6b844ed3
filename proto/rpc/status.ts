/**
 * Errors as they travel: a status code, a text and the details that carry the error's own code, its
 * facts and its outcome. What comes without details (a proxy, a foreign server, the library itself)
 * is mapped to the table by its status code, and may have been applied unless it surely was not sent.
 *
 * Invariant: a HighwaterError that goes through `statusOf` and `errorOf` keeps code, message, facts
 * and outcome. What is not a HighwaterError tells the caller nothing but INTERNAL (rule F26).
 */
import {
  type ErrorCode,
  type ErrorOutcome,
  errorTable,
  type GrpcStatusName,
  HighwaterError,
  isErrorCode,
} from '../model/errors.ts';
import { decodeErrorDetails, encodeErrorDetails } from './error-details.ts';

/** The end of a call on the wire. `code` 0 is success. */
export interface RpcStatus {
  readonly code: number;
  readonly message: string;
  /** An encoded google.rpc.Status. */
  readonly details?: Buffer | undefined;
}

/** An orderly end. */
export const okStatus: RpcStatus = { code: 0, message: '' };

const domain = 'highwater';
/** Beside the facts in ErrorInfo's metadata; no fact may have this name. */
const outcomeKey = 'outcome';
/** Longer texts are cut: status and details travel in HTTP/2 headers. */
const textLengthMax = 1024;

const statusNumbers: Readonly<Record<GrpcStatusName, number>> = {
  CANCELLED: 1,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
};

/** What a status without details of ours means. */
const foreignCodes: ReadonlyMap<number, ErrorCode> = new Map<number, ErrorCode>([
  [1, 'CANCELLED'],
  [3, 'INVALID_REQUEST'],
  [4, 'DEADLINE_EXCEEDED'],
  [7, 'PERMISSION_DENIED'],
  [8, 'OVERLOADED'],
  [12, 'UNSUPPORTED_VERSION'],
  [14, 'CONNECTION_LOST'],
  [16, 'UNAUTHENTICATED'],
]);

/** The status of anything that a handler threw. */
export function statusOf(thrown: unknown): RpcStatus {
  const error =
    thrown instanceof HighwaterError ? thrown : new HighwaterError('INTERNAL', 'internal error');
  const code = statusNumbers[errorTable[error.code].status];
  const message = cut(error.message);
  const metadata = new Map(Object.entries(error.facts).map(([key, value]) => [key, cut(value)]));
  metadata.set(outcomeKey, error.outcome);
  return {
    code,
    message,
    details: encodeErrorDetails(code, message, { reason: error.code, domain, metadata }),
  };
}

/**
 * The error of a status that is not success. `wasSent` false: it is certain that no byte of the
 * request left this process, so nothing was written.
 */
export function errorOf(status: RpcStatus, wasSent: boolean): HighwaterError {
  const info = status.details === undefined ? undefined : decodeErrorDetails(status.details);
  if (info !== undefined && info.domain === domain && isErrorCode(info.reason)) {
    const facts = Object.fromEntries([...info.metadata].filter(([key]) => key !== outcomeKey));
    const outcome = readOutcome(info.metadata.get(outcomeKey));
    return new HighwaterError(info.reason, status.message, {
      facts,
      ...(outcome === undefined ? {} : { outcome }),
    });
  }
  const code = foreignCodes.get(status.code) ?? 'INTERNAL';
  return new HighwaterError(code, status.message, {
    facts: { grpcStatus: status.code },
    outcome: foreignOutcome(code, wasSent),
  });
}

function foreignOutcome(code: ErrorCode, wasSent: boolean): ErrorOutcome {
  if (!wasSent) return 'not-written';
  // The library ends a call that grew too large or was refused with this code at any time.
  return code === 'OVERLOADED' ? 'maybe-written' : errorTable[code].outcome;
}

function readOutcome(text: string | undefined): ErrorOutcome | undefined {
  return text === 'not-written' || text === 'maybe-written' ? text : undefined;
}

function cut(text: string): string {
  return text.length <= textLengthMax ? text : `${text.slice(0, textLengthMax)}…`;
}
