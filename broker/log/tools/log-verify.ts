/**
 * `highwater log verify`: every batch of a stopped node's logs is checked: form, checksum, order of
 * offsets and epochs, and that records and indexes agree with the files. Nothing is changed.
 */

import { offset } from '../../../proto/model/offset.ts';
import { epochAt } from '../core/epoch-history.ts';
import { type LogKey, logName } from '../log-key.ts';
import type { LogRecord } from '../log-record.ts';
import { type ScanEnd, scanSegment } from '../segment-scan.ts';
import { listSegmentFiles, type SegmentFile } from '../segment-set.ts';
import type { StoppedDirectory } from './stopped-directory.ts';

/** What is wrong with a log, where. A torn tail is no fault: the next start cuts it. */
export interface LogFault {
  readonly log: string;
  readonly file: string | undefined;
  readonly position: number | undefined;
  readonly reason: string;
}

/** What was found. */
export interface VerifyReport {
  readonly logs: number;
  readonly batches: number;
  readonly bytes: number;
  /** Logs whose last bytes the next start will cut. */
  readonly torn: readonly string[];
  readonly faults: readonly LogFault[];
}

/** Checks all logs, or those of the keys; tells what it has come to after each segment. */
export async function verifyLogs(
  directory: StoppedDirectory,
  keys: Iterable<LogKey> = directory.store.keys(),
  tell: (sofar: VerifyReport) => void = () => undefined,
): Promise<VerifyReport> {
  const sheet: Sheet = { logs: 0, batches: 0, bytes: 0, torn: [], faults: [], tell };
  const active = new Set(directory.store.activeKeys().map(logName));
  for (const key of keys) {
    sheet.logs++;
    await verifyLog(directory, sheet, { key, isActive: active.has(logName(key)) });
  }
  return sheet;
}

interface Sheet {
  logs: number;
  batches: number;
  bytes: number;
  readonly torn: string[];
  readonly faults: LogFault[];
  tell(sofar: VerifyReport): void;
}

async function verifyLog(
  directory: StoppedDirectory,
  sheet: Sheet,
  log: { readonly key: LogKey; readonly isActive: boolean },
): Promise<void> {
  const name = logName(log.key);
  const fault = (reason: string, file?: string, position?: number): void => {
    sheet.faults.push({ log: name, file, position, reason });
  };
  const record = directory.store.record(log.key);
  if (record === undefined || record === 'damaged') return fault('its record is unreadable');
  if (record.damage !== undefined) fault(`damaged at offset ${record.damage.at}, not yet refilled`);

  const files = await listSegmentFiles(directory.fs, `${directory.path}/logs/${name}`);
  const point = record.recoveryPoint;
  let next: number | undefined;
  let epoch = -1;
  for (const [at, file] of files.entries()) {
    if (next !== undefined && file.baseOffset !== next) {
      fault(`it does not follow offset ${next}`, file.path, 0);
    }
    const end = await verifySegment(directory, { key: log.key, file, record, epoch, sheet, fault });
    sheet.tell(sheet);
    next = end.nextOffset ?? file.baseOffset;
    epoch = end.epoch;
    if (end.kind !== 'bad') continue;
    const isAbove = file.baseOffset === point.segmentBase && end.position >= point.position;
    const isTail = at === files.length - 1 && (isAbove || file.baseOffset > point.segmentBase);
    if (isTail) sheet.torn.push(name);
    else fault(end.reason ?? 'bad bytes', file.path, end.position);
  }
  if ((next ?? record.logStartOffset) < point.offset) {
    fault(`it ends at offset ${next ?? record.logStartOffset}; ${point.offset} had been stored`);
  }
}

interface SegmentCheck {
  readonly key: LogKey;
  readonly file: SegmentFile;
  readonly record: LogRecord;
  readonly epoch: number;
  readonly sheet: Sheet;
  fault(reason: string, file?: string, position?: number): void;
}

async function verifySegment(directory: StoppedDirectory, check: SegmentCheck): Promise<ScanEnd> {
  const { key, file, record, sheet } = check;
  const indexed = new Map<number, number>();
  const segment = { baseOffset: file.baseOffset, bytes: file.bytes };
  const entries = directory.indexes.load(key, segment)?.snapshot().entries ?? [];
  for (let at = 0; at < entries.length; at += 3)
    indexed.set(entries[at + 1] ?? 0, entries[at] ?? 0);

  const lease = await directory.handles.lease(file.path, 'write');
  try {
    const range = {
      from: 0,
      to: file.bytes,
      nextOffset: file.baseOffset,
      epoch: check.epoch,
      checkCrc: true,
    };
    const end = await scanSegment(lease.handle, range, ({ header, position }) => {
      sheet.batches++;
      sheet.bytes += header.byteLength;
      const isKept = header.baseOffset >= record.logStartOffset;
      const isRecorded = isKept && header.baseOffset < record.recoveryPoint.offset;
      const known = epochAt(record.epochs, offset(header.baseOffset));
      if (isRecorded && known !== header.leaderEpoch) {
        const said = `the record says epoch ${String(known)}`;
        check.fault(`epoch ${header.leaderEpoch}, but ${said}`, file.path, position);
      }
      if (indexed.get(position) === header.baseOffset) indexed.delete(position);
      return 'go-on';
    });
    for (const position of indexed.keys()) {
      check.fault('the index points where no batch begins', file.path, position);
    }
    return end;
  } finally {
    lease.release();
  }
}
