/** Where recovery begins to check a log: at its recovery point, or where that is lost at its oldest file. */
import type { LogPlace, LogRecord } from './log-record.ts';
import type { SegmentFile } from './segment-set.ts';

/** True if the files reach the recovery point, so that a scan may begin there. */
export function reaches(files: readonly SegmentFile[], point: LogPlace): boolean {
  if (point.position === 0 && files.length === 0) return true;
  const file = files.find(({ baseOffset }) => baseOffset === point.segmentBase);
  if (file === undefined) return point.position === 0;
  return file.bytes >= point.position;
}

/**
 * The record with the recovery point moved to the oldest file: everything is checked again. The start
 * stays where it is: where the oldest files are missing nothing of the rest is used, since a log that
 * quietly began later would have its followers delete as much.
 */
export function fromOldest(known: LogRecord, files: readonly SegmentFile[]): LogRecord {
  const oldest = files[0]?.baseOffset ?? known.logStartOffset;
  const base = oldest < known.logStartOffset ? oldest : known.logStartOffset;
  return {
    ...known,
    recoveryPoint: { offset: base, segmentBase: base, position: 0 },
    epochs: [],
  };
}
