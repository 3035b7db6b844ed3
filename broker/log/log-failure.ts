/**
 * What a log does when a write fails. The file has been cut back to its last whole batch, and the log
 * goes on from there: whatever was accepted above is gone, and the listener is told, so that a leader
 * does not lead on in this epoch.
 *
 * A full disk is told and may pass. Anything else that a file answers ends the node (rules B5.2, B5.3).
 */
import { HighwaterError } from '../../proto/model/errors.ts';
import { type Offset, offset } from '../../proto/model/offset.ts';
import { FileSystemError } from '../../proto/ports/file-system.ts';
import { truncateEpochs } from './core/epoch-history.ts';
import type { LogLifecycle } from './log-lifecycle.ts';
import type { LogFailure } from './partition-log.ts';
import { replayProducers } from './producer-replay.ts';
import type { SegmentSet } from './segment-set.ts';

/** The log ends at `end` now. Nothing is accepted until its memory agrees with its files again. */
export function failLog(life: LogLifecycle, caught: unknown, end: Offset): void {
  const { state, context } = life;
  const code = failureCode(caught);
  if (code === 'DISK_FULL') context.space.isFull();
  if (code === 'STORAGE_ERROR') context.onFatal(caught);

  state.logEndOffset = end;
  state.epochs = truncateEpochs(state.epochs, offset(end + 1));
  state.producers = undefined;
  // Nothing else holds what is gone: left here it could never be let go, being never written.
  life.tail.cutTo(end);
  life.isCutting = true;
  const { cuts } = life;
  const repaired = life.operation(() => repair(life, code, { end, cuts }));
  repaired.catch((second: unknown) => context.onFatal(second));
  life.listener?.onFailure({ code, logEndOffset: end, cause: caught });
}

function failureCode(caught: unknown): LogFailure['code'] {
  if (caught instanceof FileSystemError && caught.isFull) return 'DISK_FULL';
  if (caught instanceof HighwaterError && caught.code === 'DAMAGED_LOG') return 'DAMAGED_LOG';
  return 'STORAGE_ERROR';
}

async function repair(
  life: LogLifecycle,
  code: LogFailure['code'],
  failed: { readonly end: Offset; readonly cuts: number },
): Promise<void> {
  const { state, writer, context } = life;
  const { end, cuts } = failed;
  // A cut that was asked for before has come in between: memory agrees with the files already, and
  // the log may end below where it failed.
  if (life.cuts !== cuts) return;
  if (code === 'DAMAGED_LOG') {
    // The files do not hold what the record says: the next start looks at them.
    await life.mark();
    return;
  }
  await writer.exclusive(async () => {
    if (code === 'DISK_FULL') {
      // What was written and not stored lies below the end: it is stored before it counts.
      const segments = await life.segments();
      await writer.files.flush(end);
      await forgetJournal(life, segments);
      const request = { key: life.key, segments, config: life.config, end };
      state.producers = await replayProducers(context, request);
    }
    life.resetMemory(end);
    life.isCutting = false;
  });
}

/**
 * A journal round may have taken what there was no room to write. Redone after a crash it would lie
 * over what comes in its place; everything below the end is flushed in place, so no block is needed.
 */
async function forgetJournal(life: LogLifecycle, segments: SegmentSet): Promise<void> {
  life.state.recoveryPoint = life.writtenPlace(segments);
  life.state.journalFrom = life.context.journal.nextSequence;
  await life.saveRecord();
}
