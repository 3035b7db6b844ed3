/**
 * Walks the batches of a segment file in order, reading large pieces. It stops at the first bytes
 * that are not the next batch of the log and says why; what that means is not decided here.
 */
import type { FileHandle } from '../../proto/ports/file-system.ts';
import { type BatchHeader, readBatchHeader } from '../../proto/wire/batch-header.ts';
import { type BatchContext, checkBatch } from './batch-check.ts';

/** Bytes read at a time; a longer batch is read by itself. */
const pieceBytes = 1024 * 1024;

/** Where to scan, and what the first batch must continue. */
export interface ScanRange extends BatchContext {
  readonly from: number;
  /** Exclusive; bytes behind it are not looked at. */
  readonly to: number;
}

/** One good batch: its head, its byte position in the segment, and the bytes its head points into. */
export interface ScannedBatch {
  readonly header: BatchHeader;
  readonly position: number;
  /** Valid during the visit only: the piece is read into again. */
  readonly piece: Buffer;
}

/** Called for each good batch; `stop` ends the scan behind it. */
export type VisitBatch = (batch: ScannedBatch) => 'go-on' | 'stop';

/** How the scan ended: all was good, the visitor had enough, or bad bytes at `position`. */
export interface ScanEnd {
  readonly kind: 'whole' | 'stopped' | 'bad';
  /** Exclusive end, in bytes, of the good batches. */
  readonly position: number;
  /** The offset after the last good batch; what was asked for if there was none. */
  readonly nextOffset: number | undefined;
  readonly epoch: number;
  readonly reason: string | undefined;
}

/** Scans a range of one segment. */
export async function scanSegment(
  file: FileHandle,
  range: ScanRange,
  visit: VisitBatch,
): Promise<ScanEnd> {
  let piece = Buffer.allocUnsafeSlow(Math.max(1, Math.min(pieceBytes, range.to - range.from)));
  let position = range.from;
  let { nextOffset, epoch } = range;
  const end = (kind: ScanEnd['kind'], reason?: string): ScanEnd => ({
    kind,
    position,
    nextOffset,
    epoch,
    reason,
  });

  while (position < range.to) {
    const wanted = Math.min(piece.length, range.to - position);
    const count = await readFully(file, piece.subarray(0, wanted), position);
    let at = 0;
    while (at < count) {
      const header = readBatchHeader(piece, at, count);
      if (header.kind === 'fault') return end('bad', header.reason);
      if (header.kind === 'torn') {
        const isCut = position + header.bytesNeeded > range.to || count < wanted;
        if (isCut) return end('bad', 'a batch is cut short');
        break;
      }
      const reason = checkBatch(piece, header, { nextOffset, epoch, checkCrc: range.checkCrc });
      if (reason !== undefined) return end('bad', reason);

      const wish = visit({ header, position, piece });
      at += header.byteLength;
      position += header.byteLength;
      nextOffset = header.lastOffset + 1;
      epoch = header.leaderEpoch;
      if (wish === 'stop') return end('stopped');
    }
    if (at === 0) {
      // Not one whole batch fitted, or the file is shorter than stated.
      if (count < wanted) return end('bad', 'the file ends early');
      piece = Buffer.allocUnsafeSlow(wholeBatchBytes(piece, count));
    }
  }
  return end('whole');
}

function wholeBatchBytes(piece: Buffer, count: number): number {
  const header = readBatchHeader(piece, 0, count);
  return header.kind === 'torn' ? Math.max(header.bytesNeeded, pieceBytes) : pieceBytes;
}

/** Reads until the target is full or the file ends. */
export async function readFully(
  file: FileHandle,
  target: Buffer,
  position: number,
): Promise<number> {
  let done = 0;
  while (done < target.length) {
    const count = await file.read(done === 0 ? target : target.subarray(done), position + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}
