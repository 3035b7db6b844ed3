/**
 * Voters, entries and snapshot heads between the core's types and the generated ones: shared by the
 * messages and by the rows of the store, so both carry them alike.
 */
import type {
  RaftEntry,
  RaftSnapshotHead,
  RaftVoter,
} from '../../proto/generated/highwater/peer/v1/raft.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import type { StorageId } from '../../proto/model/ids.ts';
import type { EntryBody } from './core/entry.ts';
import type { SnapshotHead } from './core/messages.ts';
import { nodeIdOf, type Voter, type VoterId, voterId } from './core/voter.ts';

/** The storage of an identity. */
export function storageIdOf(id: VoterId): StorageId {
  return id.slice(id.indexOf('/') + 1) as StorageId;
}

export function voterToWire({ nodeId, storageId, host, port }: Voter): RaftVoter {
  return { nodeId, storageId, host, port };
}

export function voterFromWire({ nodeId, storageId, host, port }: RaftVoter): Voter {
  if (nodeId < 1 || storageId === '') throw malformed('a voter without an identity');
  return { id: voterId(nodeId, storageId), nodeId, storageId, host, port };
}

/** A bare identity as a voter without an address. */
export function identityToWire(id: VoterId): RaftVoter {
  return { nodeId: nodeIdOf(id), storageId: storageIdOf(id), host: '', port: 0 };
}

/** All of an entry but its index and its data. */
export function entryToWire(entry: { readonly term: RaftEntry['term']; readonly body: EntryBody }) {
  const { term, body } = entry;
  return {
    term,
    kind: body.kind,
    voters: body.kind === 'config' ? body.voters.map(voterToWire) : [],
    dataBytes: body.kind === 'command' ? body.data.length : 0,
  } satisfies RaftEntry;
}

export function bodyFromWire(entry: RaftEntry, data: Uint8Array): EntryBody {
  switch (entry.kind) {
    case 'noop':
      return { kind: 'noop' };
    case 'config':
      return { kind: 'config', voters: entry.voters.map(voterFromWire) };
    case 'command':
      return { kind: 'command', data };
    case 'unspecified':
      throw malformed('an entry of an unknown kind');
  }
}

export function headToWire(head: SnapshotHead): RaftSnapshotHead {
  const { index, term, voters, bytes, checksum } = head;
  return { index, term, voters: voters.map(voterToWire), bytes, checksum };
}

export function headFromWire(head: RaftSnapshotHead | undefined): SnapshotHead {
  if (head === undefined) throw malformed('a snapshot without a head');
  const { index, term, voters, bytes, checksum } = head;
  return { index, term, voters: voters.map(voterFromWire), bytes, checksum };
}

/** What arrived is no message of the quorum. */
export function malformed(what: string): HighwaterError {
  return new HighwaterError('INVALID_REQUEST', `malformed quorum message: ${what}`);
}
