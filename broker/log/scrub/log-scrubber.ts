/**
 * Reads the sealed segments of a log again, slowly, in search of bytes that went bad on the disk: form,
 * checksums, order of offsets and epochs, and that the epochs are those of the record (rule B5.4).
 *
 * A segment may be exchanged, cut or deleted while it is read, so bad bytes count only once they were
 * found again while nothing else touches the log.
 */
import { type Offset, offset } from '../../../proto/model/offset.ts';
import { FileSystemError } from '../../../proto/ports/file-system.ts';
import { epochAt } from '../core/epoch-history.ts';
import { IoPace } from '../io-pace.ts';
import { copyAside } from '../log-files.ts';
import { logName } from '../log-key.ts';
import type { LogLifecycle } from '../log-lifecycle.ts';
import { listSegmentFiles, type SegmentFile } from '../segment-set.ts';
import { walkSegment } from '../segment-walk.ts';

/** Bad bytes in a sealed segment. */
export interface FoundDamage {
  /** Offset of the first batch that is not good. */
  readonly at: Offset;
  readonly path: string;
  readonly position: number;
  readonly reason: string;
  /** A copy of the segment from there on; none where the file is missing. */
  readonly keptPath: string | undefined;
}

/** What was read of one log. */
export interface ScrubReport {
  readonly bytes: number;
  readonly damage: FoundDamage | undefined;
}

type BadBytes = Omit<FoundDamage, 'keptPath'>;

interface SealedFile extends SegmentFile {
  readonly endOffset: Offset;
}

/** Reads what is sealed, flushed or not; ends at the first damage, or when the pace is stopped. */
export async function scrubLog(life: LogLifecycle, pace: IoPace): Promise<ScrubReport> {
  let bytes = 0;
  // Most logs of a node may be empty: no file of theirs is looked for.
  if (life.state.logEndOffset === life.state.logStartOffset) return { bytes, damage: undefined };
  if ((await missingStart(life)) !== undefined) {
    const damage = await life.operation(() => missingStart(life));
    if (damage !== undefined) return { bytes, damage };
  }
  for (const file of await sealedFiles(life)) {
    if (pace.isStopped || life.isClosed) break;
    const bad = await checkFile(life, file, pace).catch(gone);
    bytes += file.bytes;
    if (bad === undefined) continue;
    const damage = await life.operation(() => confirm(life, file));
    if (damage !== undefined) return { bytes, damage };
  }
  return { bytes, damage: undefined };
}

/** The oldest file is not there: what is missing between two others shows at the end of the first. */
async function missingStart(life: LogLifecycle): Promise<FoundDamage | undefined> {
  if (life.isClosed || life.isAbandoned) return undefined;
  const [first] = await listSegmentFiles(life.context.fs, life.folder);
  // Looked at after the files: the start of a log is raised before a file goes.
  const { logStartOffset } = life.state;
  if (first === undefined || first.baseOffset <= logStartOffset) return undefined;
  const reason = 'what lies before it is missing';
  return { at: logStartOffset, path: first.path, position: 0, reason, keptPath: undefined };
}

/** All but the last: a file is there once its first bytes are written, and the one before it is full by then. */
async function sealedFiles(life: LogLifecycle): Promise<SealedFile[]> {
  const files = await listSegmentFiles(life.context.fs, life.folder);
  return files.flatMap((file, at) => {
    const next = files[at + 1];
    return next === undefined ? [] : [{ ...file, endOffset: next.baseOffset }];
  });
}

async function checkFile(
  life: LogLifecycle,
  file: SealedFile,
  pace: IoPace,
): Promise<BadBytes | undefined> {
  const { handles } = life.context;
  let wrong: { readonly at: number; readonly position: number } | undefined;
  const options = { handles, pace, wantsRecords: false };
  const end = await walkSegment(file, options, ({ header, position }) => {
    const known = epochAt(life.state.epochs, header.baseOffset);
    const isKept = header.baseOffset >= life.state.logStartOffset;
    if (!isKept || known === undefined || known === header.leaderEpoch) return 'go-on';
    wrong = { at: header.baseOffset, position };
    return 'stop';
  });
  const { path, endOffset } = file;
  if (wrong !== undefined) {
    return { ...wrong, at: offset(wrong.at), path, reason: 'the epoch is not that of the record' };
  }
  if (end.kind === 'stopped') return undefined;
  if (end.kind === 'whole' && end.nextOffset === endOffset) return undefined;
  const at = offset(end.nextOffset ?? file.baseOffset);
  return { at, path, position: end.position, reason: end.reason ?? 'it ends early' };
}

/**
 * The same once more while nothing cuts or exchanges; the bytes are copied aside if they are still bad.
 * Appends and reads go on. Cuts and checkpoints wait for it, so it reads as fast as the disk gives.
 */
async function confirm(life: LogLifecycle, file: SealedFile): Promise<FoundDamage | undefined> {
  if (life.isClosed || life.isAbandoned) return undefined;
  const present = (await sealedFiles(life)).find((one) => one.baseOffset === file.baseOffset);
  if (present?.bytes !== file.bytes || present.endOffset !== file.endOffset) return undefined;
  // A handle that was open over a hole in the disk may remember it.
  await life.context.handles.forget(file.path);
  const unpaced = new IoPace(life.context.clock, Number.POSITIVE_INFINITY);
  const bad = await checkFile(life, file, unpaced).catch(gone);
  if (bad === undefined) return undefined;
  const { fs, handles, keptPath, clock } = life.context;
  const name = `${logName(life.key)}-${clock.wall()}-${file.baseOffset}-${bad.position}.bytes`;
  const path = `${keptPath}/${name}`;
  await fs.makeDirectory(keptPath);
  await copyAside(fs, handles, { source: file, from: bad.position, path });
  await fs.syncDirectory(keptPath);
  return { ...bad, keptPath: path };
}

/** A file that is not there any more was exchanged or deleted. */
function gone(caught: unknown): undefined {
  if (caught instanceof FileSystemError && caught.errno === 'ENOENT') return undefined;
  throw caught;
}
