/** Headers and trailers, between the port's texts and the metadata of grpc-js. */
import { status as GrpcStatus, Metadata } from '@grpc/grpc-js';
import { HighwaterError } from '../../model/errors.ts';
import type { RpcHeaders } from '../../ports/rpc.ts';
import type { RpcStatus } from '../status.ts';

const detailsKey = 'grpc-status-details-bin';

/** Headers as the metadata of a call. */
export function metadataOf(headers: RpcHeaders): Metadata {
  const metadata = new Metadata();
  try {
    for (const [key, value] of Object.entries(headers)) metadata.set(key, value);
  } catch (caught) {
    throw new HighwaterError('INVALID_REQUEST', 'a header that HTTP does not allow', {
      cause: caught,
    });
  }
  return metadata;
}

/** The text headers of a call; binary ones are not part of the port. */
export function headersOf(metadata: Metadata): RpcHeaders {
  const headers: Record<string, string> = {};
  for (const [key, value] of Object.entries(metadata.getMap())) {
    if (typeof value === 'string') headers[key] = value;
  }
  return headers;
}

/** The trailers that carry the details of a status. */
export function trailersOf(status: RpcStatus): Metadata {
  const metadata = new Metadata();
  if (status.details !== undefined) metadata.set(detailsKey, status.details);
  return metadata;
}

/** A status as grpc-js reports it. */
export function receivedStatus(received: {
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata;
}): RpcStatus {
  const details = received.metadata.get(detailsKey)[0];
  return {
    code: received.code,
    message: plainReason(received.details),
    details: Buffer.isBuffer(details) ? details : undefined,
  };
}

/** The library wraps why a connection failed in sentences about itself; a user needs the reason. */
function plainReason(details: string): string {
  const found = /Last error: (?:Error: )?(.*?)\. Resolution note:/s.exec(details);
  return found?.[1]?.replace(/ \(\d{4}-[^)]*\)$/, '') ?? details;
}

/** The library's name of a status code. */
export function grpcStatusOf(code: number): GrpcStatus {
  return grpcStatuses[code] ?? GrpcStatus.UNKNOWN;
}

/** By number, as the specification of gRPC has them. */
const grpcStatuses: readonly GrpcStatus[] = [
  GrpcStatus.OK,
  GrpcStatus.CANCELLED,
  GrpcStatus.UNKNOWN,
  GrpcStatus.INVALID_ARGUMENT,
  GrpcStatus.DEADLINE_EXCEEDED,
  GrpcStatus.NOT_FOUND,
  GrpcStatus.ALREADY_EXISTS,
  GrpcStatus.PERMISSION_DENIED,
  GrpcStatus.RESOURCE_EXHAUSTED,
  GrpcStatus.FAILED_PRECONDITION,
  GrpcStatus.ABORTED,
  GrpcStatus.OUT_OF_RANGE,
  GrpcStatus.UNIMPLEMENTED,
  GrpcStatus.INTERNAL,
  GrpcStatus.UNAVAILABLE,
  GrpcStatus.DATA_LOSS,
  GrpcStatus.UNAUTHENTICATED,
];
