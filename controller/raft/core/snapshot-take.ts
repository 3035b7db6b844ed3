/**
 * Putting the state machine's bytes in the place of the log before them. A tail of entries stays, so
 * that a member only a little behind is served from the log.
 */
import { invariant } from '../../../proto/model/invariant.ts';
import { type LogIndex, logIndex } from '../../../proto/model/offset.ts';
import { entryBytes } from './entry.ts';
import type { LogView } from './log-view.ts';
import { patch, type Turn } from './turn.ts';

export interface TakenSnapshot {
  readonly index: LogIndex;
  readonly data: Uint8Array;
  readonly checksum: number;
}

export function onSnapshotTaken(turn: Turn, { index, data, checksum }: TakenSnapshot): void {
  const { state } = turn;
  // A later one, taken or installed, may be there by the time this one is done.
  if (index <= (state.snapshot?.index ?? 0) || index > state.commitIndex) return;
  const term = state.log.termAt(index);
  const inForce = state.configurations.findLastIndex(
    (configuration) => configuration.index <= index,
  );
  const voters = state.configurations[inForce]?.voters;
  invariant(term !== undefined && voters !== undefined, 'the log begins at or before the snapshot');
  const snapshot = { index, term, voters, bytes: data.length, checksum, data };
  const trimTo = trailingStart(state.log, index, state.timing.trailingBytes);
  const trimmed = state.log.trimTo(trimTo);
  patch(turn, {
    snapshot,
    log: trimmed,
    configurations: [{ index, voters }, ...state.configurations.slice(inForce + 1)],
  });
  turn.effects.push({ kind: 'save-snapshot', snapshot, trimTo: trimmed.base });
}

/** The last index that is trimmed, so that about so many bytes before the snapshot stay. */
function trailingStart(log: LogView, index: LogIndex, trailingBytes: number): LogIndex {
  let bytes = 0;
  let at = index;
  while (at > log.base.index) {
    const entry = log.entryAt(at);
    bytes += entry === undefined ? 0 : entryBytes(entry);
    if (bytes > trailingBytes) break;
    at = logIndex(at - 1);
  }
  return at;
}
