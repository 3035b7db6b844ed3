/** What the parts of one client share. */
import type { AdminCalls } from './admin/admin-calls.ts';
import type { BrokerChannels, ClientMachine } from './connection/broker-channels.ts';
import type { MetadataWatch } from './metadata/metadata-watch.ts';
import type { OffsetQuestions } from './reader/offset-questions.ts';
import type { Session } from './session/session.ts';

export interface ClientParts {
  readonly machine: ClientMachine;
  readonly channels: BrokerChannels;
  readonly metadata: MetadataWatch;
  readonly calls: AdminCalls;
  readonly offsets: OffsetQuestions;
  /** What this client has written and seen. */
  readonly session: Session;
}
