/**
 * Taking a snapshot from the leader in the place of a log that it no longer has.
 *
 * Invariants: (1) nothing is replaced before the checksum of the whole was verified; (2) a snapshot at
 * or below the commit index is ignored; (3) afterwards the log begins right behind it (rule B4.11).
 */
import { logIndex } from '../../../proto/model/offset.ts';
import { crc32c } from '../../../proto/wire/crc32c.ts';
import { advanceCommit } from './commit.ts';
import type { Snapshot } from './effects.ts';
import { heal, reply } from './follower.ts';
import { LogView } from './log-view.ts';
import type { Envelope, SnapshotChunk, SnapshotHead } from './messages.ts';
import { hearLeader } from './roles.ts';
import type { IncomingSnapshot } from './state.ts';
import { patch, sendEarly, type Turn, tell } from './turn.ts';

export function onSnapshotChunk(turn: Turn, message: Envelope, chunk: SnapshotChunk): void {
  const { head, round } = chunk;
  if (turn.state.role.kind === 'leader' || head.term > message.term) return;
  hearLeader(turn, message.from);
  const { commitIndex, timing } = turn.state;
  if (head.index <= commitIndex) {
    patch(turn, { incoming: undefined });
    reply(turn, message.from, { kind: 'append-accepted', matchIndex: commitIndex, round });
    return;
  }
  if (head.bytes > timing.snapshotBytesMax) {
    refuse(turn, head, `${head.bytes} bytes are more than a snapshot may have`);
    return;
  }
  const incoming = take(turn, chunk);
  if (incoming.received === head.bytes) {
    complete(turn, incoming);
    const isIn = turn.state.commitIndex >= head.index;
    if (isIn) {
      const matchIndex = logIndex(head.index);
      reply(turn, message.from, { kind: 'append-accepted', matchIndex, round });
      return;
    }
  }
  const offset = turn.state.incoming?.received ?? 0;
  // Chunks are in memory only, so nothing waits for the disk.
  sendEarly(turn, message.from, { kind: 'snapshot-progress', index: head.index, offset, round });
}

/** Adds the chunk if it is the next one of the snapshot under way, or begins with it. */
function take(turn: Turn, { head, offset, data }: SnapshotChunk): IncomingSnapshot {
  const present = turn.state.incoming;
  const isSame =
    present?.head.index === head.index &&
    present.head.term === head.term &&
    present.head.checksum === head.checksum;
  const before: IncomingSnapshot =
    isSame && present !== undefined
      ? present
      : { head, chunks: [], received: 0, checksum: crc32c(new Uint8Array(0)) };
  const fits = offset === before.received && before.received + data.length <= head.bytes;
  const after = fits
    ? {
        head,
        chunks: [...before.chunks, data],
        received: before.received + data.length,
        checksum: crc32c(data, before.checksum),
      }
    : before;
  patch(turn, { incoming: after });
  return after;
}

function complete(turn: Turn, { head, chunks, checksum }: IncomingSnapshot): void {
  patch(turn, { incoming: undefined });
  if (checksum !== head.checksum) {
    refuse(turn, head, 'its checksum is wrong');
    return;
  }
  if (turn.state.log.termAt(head.index) === head.term) {
    // The log holds the same history: there is nothing to replace, only more is known to be committed.
    advanceCommit(turn, head.index);
    return;
  }
  install(turn, { ...head, data: joined(chunks, head.bytes) });
}

function install(turn: Turn, snapshot: Snapshot): void {
  const { index, term, voters } = snapshot;
  patch(turn, {
    snapshot,
    log: LogView.from({ index, term }, []),
    configurations: [{ index, voters }],
    commitIndex: index,
    flushedIndex: index,
  });
  turn.effects.push({ kind: 'install-snapshot', snapshot }, { kind: 'restore', snapshot });
  tell(turn, { event: 'quorum-snapshot-installed', index });
  heal(turn, index);
}

function refuse(turn: Turn, head: SnapshotHead, reason: string): void {
  tell(turn, { event: 'quorum-snapshot-refused', index: head.index, reason });
}

function joined(chunks: readonly Uint8Array[], bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
