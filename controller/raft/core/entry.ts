/** One item of the quorum log. Commands are opaque: only the state machine above reads them. */
import type { LogIndex, Term } from '../../../proto/model/offset.ts';
import type { Voter } from './voter.ts';

/** `noop`: begins a term (rule B4.4). `config`: these are the voters. `command`: for the state machine. */
export type EntryBody =
  | { readonly kind: 'noop' }
  | { readonly kind: 'config'; readonly voters: readonly Voter[] }
  | { readonly kind: 'command'; readonly data: Uint8Array };

export interface LogEntry {
  readonly index: LogIndex;
  readonly term: Term;
  readonly body: EntryBody;
}

/** An index and the term of the entry there: names a whole history, by log matching. */
export interface LogPosition {
  readonly index: LogIndex;
  readonly term: Term;
}

/** What an entry counts for in bounds of bytes: its data and about what surrounds it. */
export function entryBytes({ body }: LogEntry): number {
  switch (body.kind) {
    case 'noop':
      return 32;
    case 'config':
      return 32 + body.voters.length * 96;
    case 'command':
      return 32 + body.data.length;
  }
}
