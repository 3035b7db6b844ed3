/**
 * Which records stay. A record goes when a newer one of its key lies below the watermark, or when it
 * is the mark of a deleted key whose time is over. A record without a key always stays: there is
 * nothing that could replace it.
 */

/** One record, as far as it matters. */
export interface JudgedRecord {
  readonly offset: number;
  /** The newest offset of the key that the pass knows; undefined: none, or there is no key. */
  readonly newest: number | undefined;
  /** It has a key and no value. */
  readonly isMark: boolean;
}

/** What of its batch and of the pass matters. */
export interface PassFacts {
  /** The pass knows the keys below this offset. */
  readonly mapEnd: number;
  /** When the marks of the batch may go; undefined until a pass has set it. */
  readonly horizonMs: number | undefined;
  readonly nowMs: number;
  readonly mayDropMarks: boolean;
}

/** True if the record stays. */
export function staysInLog(record: JudgedRecord, pass: PassFacts): boolean {
  if (record.offset >= pass.mapEnd) return true;
  if (record.newest !== undefined && record.newest > record.offset) return false;
  const isOver = pass.horizonMs !== undefined && pass.horizonMs <= pass.nowMs;
  return !(record.isMark && isOver && pass.mayDropMarks);
}
