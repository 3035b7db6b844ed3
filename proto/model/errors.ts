/**
 * The closed table of operating errors. The gRPC mapping, the client's retry loop and
 * docs/errors.md are all derived from it; a code is added here or it does not exist.
 *
 * - `status`: the gRPC status code it travels as.
 * - `retriable`: the same request may succeed later, possibly at another broker.
 * - `outcome`: for a write, whether it may have been applied. `not-written` is definite: no consumer
 *   will ever see the record (promise A5).
 */
export type ErrorOutcome = 'not-written' | 'maybe-written';

export interface ErrorSpec {
  readonly status: GrpcStatusName;
  readonly retriable: boolean;
  readonly outcome: ErrorOutcome;
  readonly meaning: string;
}

export type GrpcStatusName =
  | 'CANCELLED'
  | 'INVALID_ARGUMENT'
  | 'DEADLINE_EXCEEDED'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'PERMISSION_DENIED'
  | 'RESOURCE_EXHAUSTED'
  | 'FAILED_PRECONDITION'
  | 'ABORTED'
  | 'OUT_OF_RANGE'
  | 'UNIMPLEMENTED'
  | 'INTERNAL'
  | 'UNAVAILABLE'
  | 'DATA_LOSS'
  | 'UNAUTHENTICATED';

function refused(status: GrpcStatusName, meaning: string): ErrorSpec {
  return { status, retriable: false, outcome: 'not-written', meaning };
}
function later(status: GrpcStatusName, meaning: string): ErrorSpec {
  return { status, retriable: true, outcome: 'not-written', meaning };
}
function unsure(status: GrpcStatusName, meaning: string): ErrorSpec {
  return { status, retriable: true, outcome: 'maybe-written', meaning };
}

export const errorTable = {
  // Leadership
  NOT_LEADER: later('FAILED_PRECONDITION', 'This broker does not lead the partition.'),
  FENCED_LEADER_EPOCH: later('FAILED_PRECONDITION', 'The request carries an older leader epoch.'),
  UNKNOWN_LEADER_EPOCH: later(
    'UNAVAILABLE',
    'The request carries a leader epoch not yet known here.',
  ),
  LEADER_NOT_AVAILABLE: later('UNAVAILABLE', 'The partition has no leader at present.'),
  LEADERSHIP_LOST: unsure('ABORTED', 'The leader changed after the append and before the ack.'),
  LEASE_LOST: later('UNAVAILABLE', 'The broker has lost touch with the controllers.'),
  POSSIBLE_LOSS: later(
    'UNAVAILABLE',
    'Too many replicas lost storage: the partition waits for them.',
  ),
  // Durability
  NOT_ENOUGH_REPLICAS: later(
    'UNAVAILABLE',
    'The in-sync set is below min.insync.replicas; not appended.',
  ),
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: unsure(
    'ABORTED',
    'The in-sync set fell below the minimum after the append.',
  ),
  ACK_TIMEOUT: unsure('DEADLINE_EXCEEDED', 'The acknowledgement did not come in time.'),
  SEMI_SYNC_TIMEOUT: unsure(
    'DEADLINE_EXCEEDED',
    'Fewer than k replicas had stored the record in time.',
  ),
  SEMI_SYNC_OFF: refused(
    'FAILED_PRECONDITION',
    'The topic refuses acks=semi-sync (semi.sync.replicas is 0).',
  ),
  // Records
  CORRUPT_BATCH: refused('INVALID_ARGUMENT', 'A record batch whose bytes or checksum are wrong.'),
  INVALID_RECORD: refused('INVALID_ARGUMENT', 'A record batch that breaks a rule of the format.'),
  INVALID_TIMESTAMP: refused('INVALID_ARGUMENT', 'A timestamp more than an hour in the future.'),
  RECORD_TOO_LARGE: refused(
    'INVALID_ARGUMENT',
    'A batch above max.message.bytes, before or after decompression.',
  ),
  UNSUPPORTED_COMPRESSION: refused(
    'INVALID_ARGUMENT',
    'A compression codec that is not known or not installed.',
  ),
  // Producers
  OUT_OF_ORDER_SEQUENCE: refused('ABORTED', 'A sequence number that does not follow the last one.'),
  DUPLICATE_SEQUENCE: {
    status: 'ABORTED',
    retriable: false,
    outcome: 'maybe-written',
    meaning: 'A batch already stored whose first offset is no longer known.',
  },
  PRODUCER_FENCED: refused('FAILED_PRECONDITION', 'A newer epoch of this producer exists.'),
  UNKNOWN_PRODUCER: refused(
    'FAILED_PRECONDITION',
    'The producer id is unknown and its sequence is not 0.',
  ),
  OFFSET_MISMATCH: refused('ABORTED', 'The conditional append expected another end of the log.'),
  // Reading
  OFFSET_OUT_OF_RANGE: refused('OUT_OF_RANGE', 'The offset lies outside the retained log.'),
  OFFSET_NOT_AVAILABLE: later('UNAVAILABLE', 'A new leader does not know its watermark yet.'),
  NOT_CAUGHT_UP: later('UNAVAILABLE', 'This replica is behind the session token.'),
  POSITION_LOST: refused(
    'FAILED_PRECONDITION',
    'The history at this position was cut off; it names the divergence.',
  ),
  DAMAGED_LOG: later(
    'DATA_LOSS',
    'The stored bytes are damaged here; another replica may serve them.',
  ),
  // Topics and configuration
  UNKNOWN_TOPIC: refused('NOT_FOUND', 'No such topic, or not visible to this principal.'),
  UNKNOWN_PARTITION: refused(
    'NOT_FOUND',
    'The topic has no such partition, or it is not hosted here.',
  ),
  TOPIC_EXISTS: refused('ALREADY_EXISTS', 'A topic of this name exists.'),
  INVALID_TOPIC: refused('INVALID_ARGUMENT', 'A topic name outside [a-zA-Z0-9._-]{1,249}.'),
  INVALID_CONFIG: refused('INVALID_ARGUMENT', 'A setting that is unknown or outside its range.'),
  INVALID_PARTITIONS: refused('INVALID_ARGUMENT', 'An impossible number of partitions.'),
  INVALID_REPLICATION_FACTOR: refused(
    'INVALID_ARGUMENT',
    'A replication factor that the brokers cannot hold.',
  ),
  INVALID_REASSIGNMENT: refused('INVALID_ARGUMENT', 'An impossible list of replicas.'),
  INVALID_REQUEST: refused('INVALID_ARGUMENT', 'A request that breaks a rule of its message.'),
  // Groups
  UNKNOWN_GROUP: refused('NOT_FOUND', 'No such group.'),
  UNKNOWN_MEMBER: refused('FAILED_PRECONDITION', 'The group does not know this member.'),
  STALE_GENERATION: refused('FAILED_PRECONDITION', 'The group has gone on to a later generation.'),
  GROUP_NOT_EMPTY: refused('FAILED_PRECONDITION', 'The group still has members.'),
  NOT_COORDINATOR: later('FAILED_PRECONDITION', 'This broker does not coordinate the group.'),
  COORDINATOR_LOADING: later('UNAVAILABLE', 'The coordinator is still reading the group log.'),
  // Controllers and membership
  NOT_CONTROLLER: later('UNAVAILABLE', 'This controller is not the active one.'),
  CONTROLLER_NOT_AVAILABLE: later('UNAVAILABLE', 'No active controller can be reached.'),
  OUTCOME_UNKNOWN: unsure('UNAVAILABLE', 'The change was proposed and its outcome is not known.'),
  STALE_BROKER_EPOCH: refused(
    'FAILED_PRECONDITION',
    'A later incarnation of this broker is registered.',
  ),
  STALE_PARTITION_EPOCH: later('ABORTED', 'The partition has changed since the proposal was made.'),
  INELIGIBLE_REPLICA: later(
    'FAILED_PRECONDITION',
    'A replica that may not join the in-sync set now.',
  ),
  UNKNOWN_BROKER: refused('NOT_FOUND', 'No such broker.'),
  BROKER_FENCED: later('UNAVAILABLE', 'The broker is fenced.'),
  DUPLICATE_BROKER: later('ALREADY_EXISTS', 'Another live process holds this node id.'),
  INVALID_VOTERS: refused('FAILED_PRECONDITION', 'A voter change that is not possible now.'),
  CLUSTER_MISMATCH: refused('FAILED_PRECONDITION', 'A message of another cluster.'),
  NODE_MISMATCH: refused('FAILED_PRECONDITION', 'A message meant for another node or incarnation.'),
  UNSUPPORTED_VERSION: refused(
    'UNIMPLEMENTED',
    'A protocol version or feature level not spoken here.',
  ),
  STALE_METADATA: later('UNAVAILABLE', 'The metadata here has not reached the revision asked for.'),
  // Storage
  DISK_FULL: later('RESOURCE_EXHAUSTED', 'The disk is below its reserve; nothing was appended.'),
  STORAGE_ERROR: unsure('UNAVAILABLE', 'The disk failed; the node is stopping.'),
  // Access
  UNAUTHENTICATED: refused('UNAUTHENTICATED', 'No valid credentials.'),
  PERMISSION_DENIED: refused('PERMISSION_DENIED', 'The principal may not do this.'),
  // Transport
  UNKNOWN_SERVICE: refused('NOT_FOUND', 'The server has no gRPC service of this name.'),
  OVERLOADED: later('RESOURCE_EXHAUSTED', 'A bound of the server is reached; try again later.'),
  MESSAGE_TOO_LARGE: refused('RESOURCE_EXHAUSTED', 'A message above the size limit.'),
  DEADLINE_EXCEEDED: unsure('DEADLINE_EXCEEDED', 'The deadline passed.'),
  CANCELLED: { ...unsure('CANCELLED', 'The caller gave up.'), retriable: false },
  CONNECTION_LOST: unsure('UNAVAILABLE', 'The connection closed before the answer came.'),
  SHUTTING_DOWN: later('UNAVAILABLE', 'The node is stopping and takes no new requests.'),
  CLOSED: refused('CANCELLED', 'This object was closed.'),
  INTERNAL: {
    ...unsure('INTERNAL', 'A defect of Highwater; the log of the node says more.'),
    retriable: false,
  },
} as const satisfies Record<string, ErrorSpec>;

export type ErrorCode = keyof typeof errorTable;

/** Facts beside the code: ids, epochs, ranges. Strings, so that they travel as ErrorInfo metadata. */
export type ErrorFacts = Readonly<Record<string, string | number | bigint | boolean>>;

export interface HighwaterErrorOptions {
  readonly facts?: ErrorFacts;
  readonly cause?: unknown;
  /** Overrides the table where the thrower knows more, e.g. a timeout before anything was sent. */
  readonly outcome?: ErrorOutcome;
}

/** The one error type for operating errors. Thrown by gateways; cores return unions instead. */
export class HighwaterError extends Error {
  override readonly name = 'HighwaterError';
  readonly code: ErrorCode;
  readonly facts: Readonly<Record<string, string>>;
  readonly outcome: ErrorOutcome;

  constructor(code: ErrorCode, message: string, options: HighwaterErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.outcome = options.outcome ?? errorTable[code].outcome;
    this.facts = Object.fromEntries(
      Object.entries(options.facts ?? {}).map(([key, value]) => [key, String(value)]),
    );
  }

  /** True if the same request may succeed later. */
  get retriable(): boolean {
    return errorTable[this.code].retriable;
  }

  /** True unless it is certain that a write had no effect. */
  get mayHaveBeenApplied(): boolean {
    return this.outcome === 'maybe-written';
  }

  /** Converts what was caught at an edge. A foreign error becomes INTERNAL and keeps its cause. */
  static from(caught: unknown): HighwaterError {
    if (caught instanceof HighwaterError) return caught;
    const text = caught instanceof Error ? caught.message : String(caught);
    return new HighwaterError('INTERNAL', text, { cause: caught });
  }
}

/** True if the text names a code of the table: the check for codes that arrive on a wire. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorTable, text);
}
