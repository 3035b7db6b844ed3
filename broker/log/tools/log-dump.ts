/** `highwater log dump`: the batches or the records of one log of a stopped node, in order. */
import { openBatch } from '../../../proto/wire/open-batch.ts';
import type { RecordCursor } from '../../../proto/wire/record-cursor.ts';
import { type LogKey, logName } from '../log-key.ts';
import { type ScannedBatch, scanSegment } from '../segment-scan.ts';
import { listSegmentFiles, type SegmentFile } from '../segment-set.ts';
import type { StoppedDirectory } from './stopped-directory.ts';

/** Which part of which log. Offsets are half-open. */
export interface DumpRequest {
  readonly key: LogKey;
  readonly from: number;
  readonly to: number;
  readonly what: 'batches' | 'records';
}

/** One line of a dump: plain data, for a table or for JSON. Bytes that are no text are base64. */
export type DumpLine = Readonly<Record<string, string | number | boolean | null>>;

/** Calls back for each batch or record; bad bytes are a line of their own and end their segment. */
export async function dumpLog(
  directory: StoppedDirectory,
  request: DumpRequest,
  onLine: (line: DumpLine) => void,
): Promise<void> {
  const folder = `${directory.path}/logs/${logName(request.key)}`;
  for (const file of await listSegmentFiles(directory.fs, folder)) {
    if (file.baseOffset >= request.to) return;
    await dumpSegment(directory, { request, file, onLine });
  }
}

async function dumpSegment(
  directory: StoppedDirectory,
  dump: {
    readonly request: DumpRequest;
    readonly file: SegmentFile;
    readonly onLine: (line: DumpLine) => void;
  },
): Promise<void> {
  const { request, file, onLine } = dump;
  const lease = await directory.handles.lease(file.path, 'write');
  try {
    const context = { nextOffset: undefined, epoch: -1, checkCrc: true };
    const end = await scanSegment(
      lease.handle,
      { from: 0, to: file.bytes, ...context },
      (batch) => {
        const { header } = batch;
        if (header.baseOffset >= request.to) return 'stop';
        if (header.lastOffset < request.from) return 'go-on';
        if (request.what === 'batches') onLine(batchLine(file, batch));
        else for (const line of recordLines(batch)) onLine(line);
        return 'go-on';
      },
    );
    if (end.kind !== 'bad') return;
    onLine({ file: file.path, position: end.position, bad: end.reason ?? 'bad bytes' });
  } finally {
    lease.release();
  }
}

function batchLine(file: SegmentFile, { header, position }: ScannedBatch): DumpLine {
  return {
    baseOffset: header.baseOffset,
    lastOffset: header.lastOffset,
    records: header.recordCount,
    leaderEpoch: header.leaderEpoch,
    maxTimestamp: header.maxTimestamp,
    bytes: header.byteLength,
    compression: header.compression,
    producerId: header.producerId,
    producerEpoch: header.producerEpoch,
    baseSequence: header.baseSequence,
    segment: file.baseOffset,
    position,
  };
}

function* recordLines({ header, piece }: ScannedBatch): Iterable<DumpLine> {
  const cursor = openBatch(piece, header);
  if ('kind' in cursor) {
    yield { offset: header.baseOffset, bad: cursor.reason };
    return;
  }
  while (cursor.next()) yield recordLine(cursor);
}

function recordLine(cursor: RecordCursor): DumpLine {
  const headers = cursor.headers().map(({ key, value }) => [key, textOf(value)]);
  return {
    offset: cursor.offset,
    timestamp: cursor.timestamp,
    key: textOf(cursor.key()),
    value: textOf(cursor.value()),
    headers: headers.length === 0 ? null : JSON.stringify(headers),
  };
}

/** Bytes that are UTF-8 as text, all others as base64. */
function textOf(bytes: Buffer | null): string | null {
  if (bytes === null) return null;
  const text = bytes.toString('utf8');
  return text.includes('\uFFFD') ? `base64:${bytes.toString('base64')}` : text;
}
