/** What can happen to a quorum member. Time and chance come with every input; the core has neither. */
import type { NodeId } from '../../../proto/model/ids.ts';
import type { LogIndex } from '../../../proto/model/offset.ts';
import type { LogPosition } from './entry.ts';
import type { Envelope } from './messages.ts';
import type { Voter, VoterId } from './voter.ts';

/** Names a request of this node to its own core; the driver counts them. */
export type RequestId = number;

export type VoterChange =
  | { readonly kind: 'add'; readonly voter: Voter }
  | { readonly kind: 'remove'; readonly id: VoterId };

export type InputBody =
  /** Time has passed: heartbeats, elections and deadlines are looked at. */
  | { readonly kind: 'tick' }
  | { readonly kind: 'message'; readonly message: Envelope }
  | { readonly kind: 'propose'; readonly id: RequestId; readonly data: Uint8Array }
  /** A linearizable read asks how far it has to wait. */
  | { readonly kind: 'read'; readonly id: RequestId }
  | { readonly kind: 'change-voters'; readonly id: RequestId; readonly change: VoterChange }
  | { readonly kind: 'transfer'; readonly id: RequestId; readonly to: NodeId }
  /** Everything up to this position is flushed. */
  | { readonly kind: 'flushed'; readonly last: LogPosition }
  /** The stream to or from a peer ended: what was under way is lost. */
  | { readonly kind: 'peer-lost'; readonly peer: VoterId }
  /** A peer's link closed and its address refuses: its process is gone (rule 6.8). */
  | { readonly kind: 'peer-gone'; readonly node: NodeId }
  /** The state machine at `index` as bytes, to take the place of the log before it. */
  | {
      readonly kind: 'snapshot-taken';
      readonly index: LogIndex;
      readonly data: Uint8Array;
      readonly checksum: number;
    };

export type Input = InputBody & {
  /** Monotonic milliseconds; never less than in the input before. */
  readonly now: number;
  /** Drawn evenly from 0 (inclusive) to 1 (exclusive). */
  readonly random: number;
};
