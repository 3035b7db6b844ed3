/**
 * The planned move that the metadata asks a leader for, told to its core once: metadata is applied
 * again and again while a move is under way, and a move that was given up is not begun anew by that.
 */
import type { NodeId } from '../../proto/model/ids.ts';
import type { LeaderEpoch } from '../../proto/model/offset.ts';
import type { Input } from './core/inputs.ts';
import type { PartitionState } from './core/state.ts';

/**
 * How long a leader holds appends back for a successor. Shorter than the controller's patience, so that
 * a move that cannot be finished costs clients little.
 */
const handOverMs = 1_000;

export class AskedMove {
  #asked: { readonly successor: NodeId; readonly leaderEpoch: LeaderEpoch } | undefined;

  /** What the core is to be told of the successor that the metadata names; undefined: nothing. */
  follow(
    { role }: PartitionState,
    successor: NodeId | undefined,
    nowMs: number,
  ): Input | undefined {
    const asked = this.#asked;
    if (role.kind !== 'leader' || successor === undefined) {
      this.#asked = undefined;
      return asked === undefined ? undefined : { kind: 'hand-over-cancelled' };
    }
    const leaderEpoch = role.epoch;
    if (asked?.successor === successor && asked.leaderEpoch === leaderEpoch) return undefined;
    this.#asked = { successor, leaderEpoch };
    return { kind: 'hand-over', successor, deadlineMs: nowMs + handOverMs };
  }
}
