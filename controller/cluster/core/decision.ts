/**
 * What every decision of the controller is made of: (image, request) → records and a response, or a
 * refusal that leaves no trace.
 *
 * A decision changes nothing by itself. Its records are one change: proposed, committed and replayed
 * as a whole; only then is anything told to anybody (rule B4.18). The active controller decides the
 * next request on the image that the undecided changes will give, and drops that image if it steps
 * down.
 */
import type { MetadataRecord } from '../../../proto/metadata/records.ts';
import type { ErrorCode, ErrorFacts } from '../../../proto/model/errors.ts';

/** Records to commit, perhaps none, and what to answer once they are committed. */
export interface Decided<Response> {
  readonly kind: 'decided';
  readonly records: readonly MetadataRecord[];
  readonly response: Response;
  /** For the flight recorder, once committed. */
  readonly events: readonly EventDraft[];
}

/** Nothing is committed. */
export interface Refused {
  readonly kind: 'refused';
  readonly code: ErrorCode;
  readonly message: string;
  readonly facts: ErrorFacts;
}

export type Outcome<Response> = Decided<Response> | Refused;

/** Kinds of events in the flight recorder. */
export type EventKind =
  | 'cluster-formed'
  | 'controller-elected'
  | 'broker-registered'
  | 'broker-fenced'
  | 'broker-unfenced'
  | 'broker-stopping'
  | 'broker-intent-changed'
  | 'broker-removed'
  | 'topic-created'
  | 'topic-deleted'
  | 'topic-altered'
  | 'partitions-added'
  | 'isr-changed'
  | 'semi-sync-changed'
  | 'hand-over-asked'
  | 'hand-over-cancelled'
  | 'round-opened'
  | 'round-waiting'
  | 'leader-elected'
  | 'unclean-election'
  | 'reassignment-started'
  | 'reassignment-cancelled'
  | 'reassignment-advanced'
  | 'voters-changed'
  | 'features-finalised';

/** An event before it has a number and a time. */
export interface EventDraft {
  readonly kind: EventKind;
  /** Such as `orders/3` or `broker 2`. */
  readonly subject: string;
  readonly reason: string;
  readonly evidence: Readonly<Record<string, string | number>>;
}

/** A decision with everything that it carries. */
export function decided<Response>(
  response: Response,
  records: readonly MetadataRecord[] = [],
  events: readonly EventDraft[] = [],
): Decided<Response> {
  return { kind: 'decided', records, response, events };
}

/** A refusal with the value and what would have been accepted. */
export function refused(code: ErrorCode, message: string, facts: ErrorFacts = {}): Refused {
  return { kind: 'refused', code, message, facts };
}
