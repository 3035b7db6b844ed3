/**
 * Quorum messages as frames of the link: a small encoded header, and the data of commands and chunks
 * as the payload, which is neither copied nor looked at.
 */
import {
  RaftMessage,
  type RaftSnapshotHead,
} from '../../proto/generated/highwater/peer/v1/raft.ts';
import { type LogIndex, logIndex } from '../../proto/model/offset.ts';
import type { LogEntry } from './core/entry.ts';
import type { AppendRequest, Envelope, MessageBody, SnapshotHead } from './core/messages.ts';
import { nodeIdOf, voterId } from './core/voter.ts';
import {
  bodyFromWire,
  entryToWire,
  headFromWire,
  headToWire,
  malformed,
  storageIdOf,
} from './wire-parts.ts';

type WireBody = NonNullable<RaftMessage['body']>;
type WireAppend = Extract<WireBody, { kind: 'appendRequest' }>['value'];

export interface RaftFrame {
  readonly header: Uint8Array;
  readonly payload: readonly Uint8Array[];
}

export function encodeMessage({ from, to, term, body }: Envelope): RaftFrame {
  const [header] = RaftMessage.encode({
    fromNode: nodeIdOf(from),
    fromStorage: storageIdOf(from),
    toNode: nodeIdOf(to),
    toStorage: storageIdOf(to),
    term,
    body: bodyToWire(body),
  });
  if (header === undefined) throw malformed('nothing was encoded');
  return { header, payload: payloadOf(body) };
}

/** Throws INVALID_REQUEST for anything that is not a whole message. */
export function decodeMessage(header: Uint8Array, payload: Uint8Array): Envelope {
  const message = RaftMessage.decode(header);
  if (message.body === undefined) throw malformed('a message of an unknown kind');
  const values: readonly unknown[] = Object.values(message.body.value);
  refuseEndless(message.term, ...values);
  return {
    from: voterId(message.fromNode, message.fromStorage),
    to: voterId(message.toNode, message.toStorage),
    term: message.term,
    body: messageBodyFromWire(message.body, payload),
  };
}

/** Terms and indexes that no quorum lives to see: counting on from them would overflow (rule B4.17). */
const countMax = 2 ** 52;

function refuseEndless(...values: readonly unknown[]): void {
  for (const value of values) {
    if (typeof value === 'number' && value > countMax) throw malformed(`a count of ${value}`);
  }
}

function payloadOf(body: MessageBody): readonly Uint8Array[] {
  if (body.kind === 'snapshot-chunk') return [body.data];
  if (body.kind !== 'append-request') return [];
  return body.entries.flatMap((entry) => (entry.body.kind === 'command' ? [entry.body.data] : []));
}

function bodyToWire(body: MessageBody): WireBody {
  switch (body.kind) {
    case 'pre-vote-request': {
      const { campaign, last } = body;
      const value = { campaign, lastIndex: last.index, lastTerm: last.term };
      return { kind: 'preVoteRequest', value };
    }
    case 'pre-vote-response':
      return { kind: 'preVoteResponse', value: body };
    case 'vote-request': {
      const { isTransfer, last } = body;
      const value = { isTransfer, lastIndex: last.index, lastTerm: last.term };
      return { kind: 'voteRequest', value };
    }
    case 'vote-response':
      return { kind: 'voteResponse', value: body };
    case 'append-request':
      return { kind: 'appendRequest', value: appendToWire(body) };
    case 'append-accepted':
      return { kind: 'appendAccepted', value: body };
    case 'append-rejected': {
      const { rejectedIndex, hint, round } = body;
      const value = { rejectedIndex, hintIndex: hint.index, hintTerm: hint.term, round };
      return { kind: 'appendRejected', value };
    }
    case 'snapshot-chunk': {
      const { head, offset, round } = body;
      return { kind: 'snapshotChunk', value: { head: headToWire(head), offset, round } };
    }
    case 'snapshot-progress':
      return { kind: 'snapshotProgress', value: body };
    case 'timeout-now':
      return { kind: 'timeoutNow', value: {} };
  }
}

function messageBodyFromWire({ kind, value }: WireBody, payload: Uint8Array): MessageBody {
  switch (kind) {
    case 'preVoteRequest': {
      const last = { index: value.lastIndex, term: value.lastTerm };
      return { kind: 'pre-vote-request', campaign: value.campaign, last };
    }
    case 'preVoteResponse':
      return { kind: 'pre-vote-response', campaign: value.campaign, isGranted: value.isGranted };
    case 'voteRequest': {
      const last = { index: value.lastIndex, term: value.lastTerm };
      return { kind: 'vote-request', last, isTransfer: value.isTransfer };
    }
    case 'voteResponse':
      return { kind: 'vote-response', isGranted: value.isGranted };
    case 'appendRequest':
      return appendFromWire(value, payload);
    case 'appendAccepted':
      return { kind: 'append-accepted', matchIndex: value.matchIndex, round: value.round };
    case 'appendRejected': {
      const hint = { index: value.hintIndex, term: value.hintTerm };
      const { rejectedIndex, round } = value;
      return { kind: 'append-rejected', rejectedIndex, hint, round };
    }
    case 'snapshotChunk': {
      const { offset, round } = value;
      return {
        kind: 'snapshot-chunk',
        head: snapshotHead(value.head),
        offset,
        data: payload,
        round,
      };
    }
    case 'snapshotProgress': {
      const { index, offset, round } = value;
      return { kind: 'snapshot-progress', index, offset, round };
    }
    case 'timeoutNow':
      return { kind: 'timeout-now' };
  }
}

function snapshotHead(head: RaftSnapshotHead | undefined): SnapshotHead {
  refuseEndless(head?.index, head?.term);
  return headFromWire(head);
}

function appendToWire({ previous, entries, commitIndex, round }: AppendRequest): WireAppend {
  return {
    previousIndex: previous.index,
    previousTerm: previous.term,
    entries: entries.map(entryToWire),
    commitIndex,
    round,
  };
}

/** The data of the entries are views of the payload, one after the other. */
function appendFromWire(value: WireAppend, payload: Uint8Array): AppendRequest {
  let index: LogIndex = value.previousIndex;
  let at = 0;
  const entries: LogEntry[] = value.entries.map((entry) => {
    refuseEndless(entry.term);
    index = logIndex(index + 1);
    const data = payload.subarray(at, at + entry.dataBytes);
    at += entry.dataBytes;
    return { index, term: entry.term, body: bodyFromWire(entry, data) };
  });
  if (at !== payload.length) throw malformed('a payload of another length than its entries');
  const previous = { index: value.previousIndex, term: value.previousTerm };
  const { commitIndex, round } = value;
  return { kind: 'append-request', previous, entries, commitIndex, round };
}
