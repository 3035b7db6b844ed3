/**
 * One checkpoint of all busy logs. What lies above a recovery point costs time after a crash, and
 * flushing it costs the disk in any case; so a log is flushed for its record's sake only once it has
 * its share of what a recovery may read, and the share is small while many logs are busy.
 */
import type { LogLifecycle } from './log-lifecycle.ts';
import { sideBySide } from './side-by-side.ts';

/** Bytes that a recovery may have to read over all logs: about a second's worth. */
const recoveryBytesMax = 512 * 1024 * 1024;

/** The share of one log is no greater. */
const recoveryBytesPerLogMax = 64 * 1024 * 1024;

/** Logs at a time, so that their records share commits. */
const checkpointsAtOnce = 16;

/** Brings the records of these logs up to their files; what is quiet becomes idle and leaves the set. */
export async function checkpointAll(busy: Set<LogLifecycle>): Promise<void> {
  const share = Math.min(recoveryBytesPerLogMax, recoveryBytesMax / busy.size);
  await sideBySide([...busy], checkpointsAtOnce, async (life) => {
    const isQuiet = !life.hasChanged && life.writer.unstoredBytes === 0;
    await life.checkpoint(isQuiet ? 'idle' : { unflushedBytesMax: share });
    if (isQuiet && !life.isMarked) busy.delete(life);
  });
}
